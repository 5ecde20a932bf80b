import * as fs from "node:fs";
import * as path from "node:path";
import { loadSecrets } from "../secrets/load";
import { site } from "./homelab/site/site";
import { HOMELAB_SECRETS } from "./support/homelab";

const root = path.join(__dirname, "..");
const STORE = "cluster-secret-store/secrets";

test("the lab's Proxmox knows the token that the lab-only secrets hold", async () => {
  process.env["SOPS_AGE_KEY_FILE"] = path.join(root, "secrets/lab-only.agekey");
  const secrets = await loadSecrets({
    root: HOMELAB_SECRETS,
    only: [`${STORE}/PROXMOX_TOKEN_ID`, `${STORE}/PROXMOX_SECRET`, `${STORE}/PROXMOX_URL`],
  });
  const { proxmox } = JSON.parse(fs.readFileSync(path.join(root, "lab/lab-only.json"), "utf8"));
  expect({ id: secrets.get(`${STORE}/PROXMOX_TOKEN_ID`)?.["PROXMOX_TOKEN_ID"], secret: secrets.get(`${STORE}/PROXMOX_SECRET`)?.["PROXMOX_SECRET"] }).toEqual(
    proxmox.token,
  );
  expect(`${secrets.get(`${STORE}/PROXMOX_URL`)?.["PROXMOX_URL"]}/`).toBe(site.proxmoxEndpoint);
});
