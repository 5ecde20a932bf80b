import * as fs from "node:fs";
import * as path from "node:path";
import type { HomelabError } from "../../common/errors";
import { HOMELAB, HOMELAB_FILES } from "../../tests/support/homelab";
import { SITE_FILES } from "./estate";
import { checkSiteFiles, type SiteFiles } from "./site-files";

/** Number of the line that is this text, or else of one that contains it. */
function lineWith(file: string, text: string): number {
  const lines = fs.readFileSync(path.join(HOMELAB, file), "utf8").split("\n");
  const whole = lines.findIndex((line) => line === text || line.trim() === text);
  return (whole < 0 ? lines.findIndex((line) => line.includes(text)) : whole) + 1;
}

const { site, proxmox, stacks } = HOMELAB_FILES;
const [first] = proxmox.nodes;
const nodes = (change: object): SiteFiles["proxmox"] => ({ ...proxmox, nodes: proxmox.nodes.map((node) => (node === first ? { ...node, ...change } : node)) });
// As in files whose types nobody has checked.
const stack = (name: string, change: object): SiteFiles["stacks"] => ({ ...stacks, [name]: { ...stacks[name], ...change } }) as SiteFiles["stacks"];

test("the checkout's own files are right", () => expect(() => checkSiteFiles(SITE_FILES)).not.toThrow());

test.each([
  [
    "a gateway in another network",
    { site: { ...site, gateway: "10.0.0.1" } },
    "site/site.ts",
    "gateway:",
    `gateway: 10.0.0.1 is not an address of ${site.subnet}`,
  ],
  ["a network that is none", { site: { ...site, subnet: "home" } }, "site/site.ts", "subnet:", "subnet: must be a network such as 10.20.0.0/24"],
  [
    "Vault under another domain",
    { site: { ...site, vaultAddress: "https://v.pw" } },
    "site/site.ts",
    "vaultAddress:",
    `vaultAddress: v.pw is not a name below ${site.domain}`,
  ],
  [
    "nobody who could log in",
    { site: { ...site, operatorKeys: [] } },
    "site/site.ts",
    "operatorKeys:",
    "operatorKeys: must have at least one key: nobody could log in",
  ],
  [
    "a template on a storage that the node lacks",
    { proxmox: nodes({ templateStorage: "slow" }) },
    "site/nodes.ts",
    "templateStorage:",
    /nodes\.0\.templateStorage: \S+ has no storage "slow"/,
  ],
  [
    "two nodes of one name",
    { proxmox: nodes({ name: proxmox.nodes[1]?.name }) },
    "site/nodes.ts",
    `name: "${proxmox.nodes[1]?.name}"`,
    `nodes.1.name: there are two nodes "${proxmox.nodes[1]?.name}"`,
  ],
  [
    "two templates of one id",
    { proxmox: nodes({ templateId: proxmox.nodes[1]?.templateId }) },
    "site/nodes.ts",
    `templateId: ${proxmox.nodes[1]?.templateId}`,
    `nodes.1.templateId: ${proxmox.nodes[1]?.templateId} is the id of another node's template too: ids are unique in the whole cluster`,
  ],
  ["an unknown key of a stack", { stacks: stack("dev", { need: [] }) }, "site/stacks.ts", "  dev: {", 'dev.need: unknown key; did you mean "needs"?'],
  [
    "an unknown module",
    { stacks: stack("dev", { platform: { "cert-manger": {} } }) },
    "site/stacks.ts",
    "",
    /dev\.platform\.cert-manger: unknown key; did you mean "cert-manager"\?/,
  ],
  [
    "an unknown option",
    { stacks: stack("tools", { platform: { vault: { sise: "1Gi" } } }) },
    "site/stacks.ts",
    "",
    /tools\.platform\.vault\.sise: unknown key; did you mean "size"\?/,
  ],
  ["a duty that there is not", { stacks: stack("dev", { vms: { "k8s-dev": "proxy" } }) }, "site/stacks.ts", '"k8s-dev":', /dev\.vms\.k8s-dev: /],
  [
    "an output that every stack has",
    {
      stacks: stack("prod", {
        apps: { a: { image: "r.example.org/a:1", ports: [{ name: "a", port: 1 }], probes: { ready: "/", live: "port" }, outputs: { urls: "image" } } },
      }),
    },
    "site/stacks.ts",
    "",
    /prod\.apps\.a\.outputs/,
  ],
] as const)("%s is refused, with file, line and key", (_, change, file, at, message) => {
  let thrown: HomelabError | undefined;
  try {
    checkSiteFiles({ ...HOMELAB_FILES, ...change } as SiteFiles, HOMELAB);
  } catch (error) {
    thrown = error as HomelabError;
  }
  expect(thrown).toMatchObject({ code: "E_SITE", subject: file });
  const [, line = "", rest = ""] = /^[^:]+:(\d+): (.*)$/s.exec(thrown?.message ?? "") ?? [];
  if (typeof message === "string") expect(rest).toBe(message);
  else expect(rest).toMatch(message);
  expect(Number(line)).toBeGreaterThan(1);
  if (at !== "") expect(Number(line)).toBe(lineWith(file, at));
});
