import { createPrivateKey, X509Certificate } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { utils } from "ssh2";
import { parse } from "yaml";
import { checkFile } from "../secrets/check-files";
import { loadSecrets } from "../secrets/load";
import { ProxmoxLab } from "../tests/support/proxmox-lab";
import { answersOf, type Given } from "./answers";
import { initialise } from "./init";
import { readNodes } from "./proxmox";

const NOW = new Date("2026-11-29T12:00:00Z");
const GIVEN: Given = {
  domain: "example.org",
  network: "10.20.0.0/24",
  node: "pve=10.20.0.2",
  stacks: "tools,dev",
  user: "ops",
  storage: "tank",
  "file-storage": "images",
};

let root: string;
let home: string;
const before = { ...process.env };
beforeEach(() => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "init-"));
  root = path.join(folder, "checkout");
  home = path.join(folder, "home");
  fs.mkdirSync(root);
  process.env["XDG_CONFIG_HOME"] = path.join(home, ".config");
});
afterEach(() => {
  process.env["XDG_CONFIG_HOME"] = before["XDG_CONFIG_HOME"];
  if (before["XDG_CONFIG_HOME"] === undefined) delete process.env["XDG_CONFIG_HOME"];
  fs.rmSync(path.dirname(root), { recursive: true });
});

const run = (given: Given = GIVEN, token?: { id: string; secret: string }) => initialise(root, answersOf(given), token, NOW);
const read = (name: string): string => fs.readFileSync(path.join(root, name), "utf8");
const filesBelow = (folder: string): string[] =>
  fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .flatMap((entry) => (entry.isFile() ? [path.relative(folder, path.join(entry.parentPath, entry.name))] : []));

test("writes the site, its settings and its secrets, and the key to them outside the checkout for its owner alone", async () => {
  const { files, keyFile, toFill, authority } = await run({ ...GIVEN, certificates: "cloudflare" });
  expect(authority).toBeUndefined();
  expect(filesBelow(root).sort()).toEqual([...files].sort());
  expect([...files].sort()).toEqual([
    ...[".sops.yaml", "Pulumi.dev.yaml", "Pulumi.tools.yaml"],
    "secrets/common/cloudflare.yaml",
    ...["EXTERNAL_DNS_PIHOLE_PASSWORD", "PROXMOX_SECRET", "PROXMOX_TOKEN_ID", "SSH_PRIVATE_KEY"].map(
      (name) => `secrets/common/cluster-secret-store/secrets/${name}.yaml`,
    ),
    ...[
      "site/apps/whoami.ts",
      "site/lab.ts",
      "site/nodes.ts",
      "site/site.ts",
      "site/stacks.ts",
      "site/tests/site.test.ts",
      "site/vms/dns.yaml",
      "site/vms/k8s-dev.yaml",
      "site/vms/k8s-tools.yaml",
    ],
  ]);
  expect(keyFile).toBe(path.join(home, ".config", "homelab", "example.org.agekey"));
  expect([fs.statSync(keyFile).mode & 0o777, fs.statSync(path.dirname(keyFile)).mode & 0o777]).toEqual([0o600, 0o700]);
  expect(toFill).toEqual([
    {
      file: "cluster-secret-store/secrets/PROXMOX_SECRET",
      key: "PROXMOX_SECRET",
      what: "the secret of Proxmox's API token, which Proxmox shows once (docs/vms.md)",
    },
    { file: "cloudflare", key: "api-token", what: "a token of Cloudflare that may edit the domain's DNS records, for certificates by DNS-01" },
  ]);
  // The private key is nowhere in the checkout, and each file passes the checks of a commit.
  const secret = /AGE-SECRET-KEY-1\w+/.exec(fs.readFileSync(keyFile, "utf8"))?.[0] ?? "";
  expect(secret).not.toBe("");
  for (const file of files) {
    expect(read(file)).not.toContain(secret);
    expect([file, checkFile(file, fs.readFileSync(path.join(root, file)), path.join(root, ".sops.yaml"))]).toEqual([file, []]);
  }
});

test("the key decrypts the secrets; the site has the public half of the homelab's own SSH key; values to fill in are named", async () => {
  const { keyFile } = await run({ ...GIVEN, certificates: "cloudflare" });
  const place = { root: path.join(root, "secrets"), ageKeyFile: keyFile };
  const store = "cluster-secret-store/secrets";
  const loaded = await loadSecrets({ ...place, only: [`${store}/SSH_PRIVATE_KEY`, `${store}/PROXMOX_TOKEN_ID`, `${store}/EXTERNAL_DNS_PIHOLE_PASSWORD`] });
  expect(loaded.get(`${store}/PROXMOX_TOKEN_ID`)).toEqual({ PROXMOX_TOKEN_ID: "homelab@pve!pulumi" });
  expect(loaded.get(`${store}/EXTERNAL_DNS_PIHOLE_PASSWORD`)?.["PIHOLE_PASSWORD"]).toMatch(/^[\w-]{32}$/);
  const key = utils.parseKey(loaded.get(`${store}/SSH_PRIVATE_KEY`)?.["SSH_PRIVATE_KEY"] ?? "");
  if (key instanceof Error) throw key;
  expect(read("site/site.ts")).toContain(`operatorKeys: ["ssh-ed25519 ${key.getPublicSSH().toString("base64")} homelab example.org"]`);
  await expect(loadSecrets(place)).rejects.toMatchObject({
    code: "E_SECRET_EMPTY",
    message: `not filled in yet: api-token of secrets/common/cloudflare.yaml, PROXMOX_SECRET of secrets/common/${store}/PROXMOX_SECRET.yaml`,
    hint: "homelab secrets set cloudflare api-token",
  });
});

test("without Cloudflare an authority of the homelab's own signs: its key is a secret, its certificate is in the site", async () => {
  const { files, keyFile, toFill, authority } = await run();
  expect(authority).toBe("site/authority.pem");
  expect(files).toContain("secrets/common/certificate-authority.yaml");
  expect(files).not.toContain("secrets/common/cloudflare.yaml");
  expect(toFill.map(({ file }) => file)).toEqual(["cluster-secret-store/secrets/PROXMOX_SECRET"]);
  expect(read("site/stacks.ts")).toContain('"cert-manager": { issuer: "own-authority" }');
  const loaded = await loadSecrets({ root: path.join(root, "secrets"), ageKeyFile: keyFile, only: ["certificate-authority"] });
  const { "tls.crt": cert = "", "tls.key": key = "" } = loaded.get("certificate-authority") ?? {};
  expect(read("site/authority.pem")).toBe(cert);
  const certificate = new X509Certificate(cert);
  expect([certificate.subject, certificate.ca, certificate.checkPrivateKey(createPrivateKey(key))]).toEqual(["CN=homelab example.org", true, true]);
  expect(certificate.validTo).toBe("Nov 26 12:00:00 2036 GMT");
});

test("existing files are never overwritten, and if there is one, nothing is written", async () => {
  const { keyFile } = await run({ ...GIVEN, certificates: "cloudflare" });
  const hint = "this checkout describes a homelab: to begin your own in it, remove that one first: git rm -rq site secrets/common .sops.yaml 'Pulumi.*.yaml'";
  await expect(run()).rejects.toThrow(
    expect.objectContaining({
      code: "E_EXISTS",
      message: "site, secrets/common, .sops.yaml, Pulumi.tools.yaml, Pulumi.dev.yaml already exist, and nothing is overwritten",
      hint,
    }),
  );
  const text = fs.readFileSync(keyFile, "utf8");
  fs.rmSync(root, { recursive: true });
  fs.mkdirSync(root);
  await expect(run()).rejects.toThrow(expect.objectContaining({ code: "E_EXISTS", message: `${keyFile} already exists, and nothing is overwritten` }));
  expect([filesBelow(root), fs.readFileSync(keyFile, "utf8")]).toEqual([[], text]);
  fs.writeFileSync(path.join(root, "Pulumi.dev.yaml"), "mine");
  await expect(run({ ...GIVEN, domain: "example.net" })).rejects.toThrow(
    expect.objectContaining({ message: "Pulumi.dev.yaml already exists, and nothing is overwritten" }),
  );
  expect(filesBelow(root)).toEqual(["Pulumi.dev.yaml"]);
});

test("the addresses of the gateway and the nodes are skipped; stacks are spread over the nodes", async () => {
  await run({ ...GIVEN, network: "10.20.0.0/27", gateway: "10.20.0.3", node: "a=10.20.0.11,b=10.20.0.4", stacks: "base,one,two" });
  const vm = (name: string): unknown => {
    const { target_node, ipconfig0, nameserver } = parse(read(`site/vms/${name}.yaml`)) as Record<string, unknown>;
    return [target_node, ipconfig0, nameserver];
  };
  expect(["dns", "k8s-base", "k8s-one", "k8s-two"].map(vm)).toEqual([
    ["a", "ip=10.20.0.5/27,gw=10.20.0.3", undefined],
    ["a", "ip=10.20.0.12/27,gw=10.20.0.3", "10.20.0.5"],
    ["b", "ip=10.20.0.13/27,gw=10.20.0.3", "10.20.0.5"],
    ["a", "ip=10.20.0.14/27,gw=10.20.0.3", "10.20.0.5"],
  ]);
});

const DOMAIN = "a domain such as example.org, of at most 189 characters and 63 between dots";

test.each<[given: Given, said: string]>([
  [{ domain: "example" }, `--domain takes ${DOMAIN}, not "example"`],
  [{ domain: "Example.org" }, `--domain takes ${DOMAIN}, not "Example.org"`],
  [{ domain: `${"a".repeat(64)}.org` }, `--domain takes ${DOMAIN}, not "${"a".repeat(64)}.org"`],
  [{ domain: `${"a.".repeat(94)}ab` }, `--domain takes ${DOMAIN}, not "${"a.".repeat(94)}ab"`],
  [{ node: `${"n".repeat(64)}=10.20.0.2` }, `--node takes NAME=ADDRESS, such as pve=10.20.0.2, not "${"n".repeat(64)}=10.20.0.2"`],
  [{ network: "10.20.0.0" }, '--network takes a network such as 10.20.0.0/24, not "10.20.0.0"'],
  [{ network: "10.20.0.7/24" }, `--network takes the network's own address (10.20.0.0/24), not "10.20.0.7/24"`],
  [{ network: "10.20.0.0/29" }, '--network takes a network of /16 to /27, not "10.20.0.0/29"'],
  [{ gateway: "10.21.0.1" }, '--gateway takes an address in 10.20.0.0/24, not "10.21.0.1"'],
  [{ node: "10.20.0.2" }, '--node takes NAME=ADDRESS, such as pve=10.20.0.2, not "10.20.0.2"'],
  [{ node: "pve=10.21.0.2" }, `--node takes addresses in 10.20.0.0/24 other than the gateway's (10.20.0.1), not "10.21.0.2"`],
  [{ node: "pve=10.20.0.1" }, `--node takes addresses in 10.20.0.0/24 other than the gateway's (10.20.0.1), not "10.20.0.1"`],
  [{ node: "a=10.20.0.2,a=10.20.0.3" }, '--node takes each name once (a is there twice), not "a=10.20.0.2,a=10.20.0.3"'],
  [{ stacks: "tools,tools" }, '--stacks takes each name once (tools is there twice), not "tools,tools"'],
  [{ stacks: "Tools" }, '--stacks takes names with commas, such as tools,dev, not "Tools"'],
  [{ stacks: "" }, '--stacks takes names with commas, such as tools,dev, not ""'],
  [{ user: "root user" }, `--user takes a user's name: lower-case letters, digits and dashes, not "root user"`],
  [{ memory: "lots" }, '--memory takes a number of GiB, not "lots"'],
  [{ bridge: "vmbr 0" }, '--bridge takes the name of a bridge, such as vmbr0, not "vmbr 0"'],
  [{ storage: "a/b" }, '--storage takes the name of a storage, such as local-lvm, not "a/b"'],
  [{ memory: "8" }, "node pve has 8 GiB, and its VMs would need 15 GiB"],
  [{ memory: "14" }, "node pve has 14 GiB, and its VMs would need 15 GiB"],
  [{ network: "10.20.0.0/27", stacks: Array.from({ length: 21 }, (_, i) => `s${i}`).join(",") }, "10.20.0.0/27 has no room for 21 clusters"],
])("%j is refused by its flag", async (given, said) => {
  await expect(async () => run({ ...GIVEN, ...given })).rejects.toThrow(expect.objectContaining({ code: "E_USAGE", message: said }));
  expect(filesBelow(root)).toEqual([]);
});

describe("nodes of a Proxmox", () => {
  let lab: ProxmoxLab;
  beforeEach(async () => {
    lab = await ProxmoxLab.start();
  });
  afterEach(() => lab.stop());
  const access = (secret: string) => ({ url: lab.url, tokenId: "homelab@pve!pulumi", secret, verify: false });

  test("are read with their memory, processor, bridge and storages", async () => {
    const nodes = await readNodes(access("11111111-2222-3333-4444-555555555555"));
    expect(nodes).toEqual([
      {
        ...{ name: "node01", address: "192.168.1.248", memoryMiB: 16_384, threads: 4, cpu: "Intel(R) Core(TM) i7-4710HQ CPU @ 2.50GHz" },
        ...{ bridge: "vmbr0", storage: "slowdata", fileStorage: "local", roomGiB: 900 },
      },
      expect.objectContaining({ name: "node02", address: "192.168.1.249", memoryMiB: 32_768, storage: "local-lvm", roomGiB: 800 }),
      expect.objectContaining({ name: "node03", address: "192.168.1.250", threads: 72, storage: "data2", roomGiB: 1800 }),
    ]);
    await initialise(root, answersOf({ domain: "example.org", network: "192.168.1.0/24" }, nodes), { id: "a@pve!b", secret: "s" }, NOW);
    expect(read("site/nodes.ts")).toContain('hardware: "Intel(R) Xeon(R) CPU E5-2699 v3 @ 2.30GHz"');
    expect(lab.ctx.unhandled.all()).toEqual([]);
  });

  test("a token that Proxmox does not take is named, without its secret", async () => {
    await expect(readNodes(access("wrong"))).rejects.toMatchObject({
      code: "E_PROXMOX_TOKEN",
      message: expect.stringMatching(/^Proxmox at https:\/\/127\.0\.0\.1:\d+ does not take the token homelab@pve!pulumi \(401 for \/nodes\)$/),
    });
  });
});
