/**
 * Another homelab: `homelab init` writes a site into a checkout without one. It is built in the lab, a second run changes nothing, one
 * more stack is added, and all is destroyed. It has one node, and no name or address of this repository's homelab.
 */
import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { loadSecrets } from "../../secrets/load";
import { removeHomelab } from "../support/homelab";
import { type Finished, Rehearsal } from "../support/rehearsal";
import { apply, differences, keep, randomEdits, stepsIn } from "./random-changes";

jest.setTimeout(900_000);

const FLAGS = {
  ...{ domain: "example.org", network: "10.20.0.0/24", node: "pve=10.20.0.2", stacks: "tools,dev", user: "ops" },
  ...{ storage: "tank", "file-storage": "images", bridge: "vmbr7" },
};

let rehearsal: Rehearsal;
let checkout: string;
/** The matrix before a stack was added. */
let withoutStg: string;

/** HOMELAB_SECRETS_DIR is empty, so that the lab generates its own secrets. */
const env = (): NodeJS.ProcessEnv => ({ HOMELAB_SECRETS_DIR: "" });
const homelab = (...args: string[]): Promise<Finished> => rehearsal.start(args, { checkout, env: env() }).done;

beforeAll(async () => {
  rehearsal = new Rehearsal();
  checkout = rehearsal.checkout;
  fs.rmSync(rehearsal.secretsDir, { recursive: true });
  removeHomelab(checkout);
});
afterAll(async () => {
  await homelab("lab", "stop");
  await rehearsal.close();
});

const writesOf = async (since: number): Promise<string[]> =>
  (await rehearsal.writes(since)).map(({ system, target, action }) => `${system} ${target} ${action}`);

test("init writes the site, and says where the key to its secrets is", async () => {
  const { code, stdout, stderr } = await homelab("init", "--yes", ...Object.entries(FLAGS).flatMap(([flag, value]) => [`--${flag}`, value]));
  expect([code, stderr]).toEqual([0, ""]);
  const key = path.join(rehearsal.dir, "home", ".config", "homelab", "example.org.agekey");
  expect(stdout).toContain(key);
  expect(fs.statSync(key).mode & 0o777).toBe(0o600);
  const again = await homelab("init", "--yes", "--domain", "example.net");
  expect([again.code, again.stdout]).toEqual([1, ""]);
  expect(again.stderr).toMatch(/^error: site, secrets\/common, \.sops\.yaml, .* already exist, and nothing is overwritten\n {2}next: /);
});

test("the real homelab is not built with what is only marked", async () => {
  const key = path.join(rehearsal.dir, "home", ".config", "homelab", "example.org.agekey");
  const { code, stderr } = await rehearsal.start(["preview"], {
    checkout,
    env: { ...env(), SOPS_AGE_KEY_FILE: key, PULUMI_CONFIG_PASSPHRASE: "x", PULUMI_BACKEND_URL: `file://${rehearsal.dir}/nowhere` },
  }).done;
  expect(code).toBe(1);
  expect(stderr).toContain("not filled in yet: PROXMOX_SECRET of");
});

test("the lab models the new site, and previews and builds it", async () => {
  const ports = ["--proxy-port", "0", "--bastion-port", "0", "--control-port", "0"];
  const started = await homelab("lab", "start", "--latency", "zero", ...ports);
  expect([started.code, started.stderr]).toEqual([0, ""]);
  rehearsal.attach();
  const preview = await homelab("preview", "--lab");
  expect([preview.code, preview.stderr]).toEqual([0, ""]);
  expect(await rehearsal.writes()).toEqual([]);
  const { code, stdout, stderr } = await homelab("up", "--lab");
  expect([code, code === 0 ? "" : `${stdout}\n${stderr}`]).toEqual([0, ""]);
  const vms = (await rehearsal.vms()).map(({ node, status, config }) => [config["name"], node, status, config["ipconfig0"]]);
  expect(vms).toEqual(
    expect.arrayContaining([
      ["dns", "pve", "running", "gw=10.20.0.1,ip=10.20.0.3/24"],
      ["k8s-tools", "pve", "running", "gw=10.20.0.1,ip=10.20.0.11/24"],
      ["k8s-dev", "pve", "running", "gw=10.20.0.1,ip=10.20.0.12/24"],
    ]),
  );
  const names = await rehearsal.resolveAll(["vault.example.org", "dev.whoami.example.org"], "10.20.0.3");
  expect(names).toEqual({ "vault.example.org": "10.20.0.11", "dev.whoami.example.org": "10.20.0.12" });
});

test("the certificates of routes are signed by the site's own authority, one for all clusters, as the lab has it", async () => {
  const authority = new X509Certificate(fs.readFileSync(path.join(rehearsal.dir, "authority.pem")));
  expect(authority.subject).toBe("CN=homelab (lab only)");
  for (const [stack, namespace, secret, name] of [
    ["tools", "vault", "vault-tls", "vault.example.org"],
    ["dev", "whoami", "whoami-http-tls", "dev.whoami.example.org"],
  ] as const) {
    const { body } = await rehearsal.kubernetes(stack, `/api/v1/namespaces/${namespace}/secrets/${secret}`);
    const { data } = body as { data: Record<string, string> };
    const certificate = new X509Certificate(Buffer.from(data["tls.crt"] ?? "", "base64"));
    expect([certificate.subjectAltName, certificate.verify(authority.publicKey)]).toEqual([`DNS:${name}`, true]);
  }
});

test("a second up changes nothing", async () => {
  const since = await rehearsal.lastSeq();
  const { code, stdout } = await homelab("up", "--lab");
  expect([code, code === 0 ? "" : stdout]).toEqual([0, ""]);
  expect(await writesOf(since)).toEqual([]);
});

/** The nightly run sets HOMELAB_TEST_CHANGES to more. A failure prints its seed, for HOMELAB_TEST_SEED. */
const CHANGES = Number(process.env["HOMELAB_TEST_CHANGES"] ?? "2");
const SEED = Number(process.env["HOMELAB_TEST_SEED"] ?? "1");

test("whatever is changed, an up does what a preview has shown, and nothing where it has shown nothing", async () => {
  const back = keep(checkout);
  const file = path.join(rehearsal.dir, "steps.json");
  const compare = async (what: string): Promise<number> => {
    const runs: ReturnType<typeof stepsIn>[] = [];
    const since = await rehearsal.lastSeq();
    for (const command of ["preview", "up"]) {
      const { code, stdout, stderr } = await homelab(command, "dev", "--only", "--lab", "--report", file);
      expect([what, command, code, code === 0 ? "" : stdout + stderr]).toEqual([what, command, 0, ""]);
      runs.push(stepsIn(file));
      if (command === "preview") expect([what, await writesOf(since)]).toEqual([what, []]);
    }
    const [shown = [], done = []] = runs;
    expect([what, differences(shown, done)]).toEqual([what, []]);
    const touched = new Set((await rehearsal.writes(since)).map(({ system }) => system));
    if (shown.length === 0) expect([what, [...touched]]).toEqual([what, []]);
    for (const [system, type] of [["proxmox", ":VmLegacy"] as const, ["kubernetes", "kubernetes:"] as const])
      expect([what, system, touched.has(system)]).toEqual([what, system, shown.some((step) => step.what.includes(type))]);
    await rehearsal.settle();
    return shown.length;
  };
  let seen = 0;
  for (const [index, changes] of randomEdits(SEED, CHANGES).entries()) {
    apply(checkout, changes);
    seen += await compare(`seed ${SEED}, change ${index}: ${changes.map(({ to }) => to).join("; ")}`);
  }
  back();
  seen += await compare("all of it back");
  expect(seen).toBeGreaterThan(0);
});

function commit(): void {
  const git = (...args: string[]): void => {
    execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@example.org", ...args], { cwd: checkout, stdio: "pipe" });
  };
  if (!fs.existsSync(path.join(checkout, ".git"))) git("init", "--quiet");
  git("add", "--all", "--", ".", ":!node_modules");
  git("commit", "--quiet", "--message", "site");
}

/** How each stack ended, and why. */
const endsIn = (stdout: string): Record<string, string> =>
  Object.fromEntries(
    [...stdout.matchAll(/^\[(\w+)\] (succeeded|unaffected)(?: in [\dms.]+)?(?:: (.*))?$/gm)].map(([, stack, status, what]) => [stack, `${status}: ${what}`]),
  );

test("what changed since a commit is said, and nothing is run where nothing has", async () => {
  commit();
  const since = await rehearsal.lastSeq();
  const { code, stdout, stderr } = await homelab("up", "--affected", "HEAD", "--lab");
  expect([code, stdout, stderr]).toEqual([0, expect.stringMatching(/^nothing that a stack is built from has changed since [0-9a-f]{12}\n$/), ""]);
  expect(await writesOf(since)).toEqual([]);
  const wrong = await homelab("up", "--affected", "no-such-branch", "--lab");
  expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining("git knows no commit no-such-branch")]);
  const named = await homelab("preview", "dev", "--affected", "HEAD", "--lab");
  expect([named.code, named.stderr]).toEqual([2, expect.stringContaining("none can be named")]);
});

test("one stack and one VM more of the same kinds are a command each; what only reads what is as before is not run again", async () => {
  withoutStg = fs.readFileSync(path.join(checkout, "site/stacks.ts"), "utf8");
  const stack = await homelab("new", "stack", "stg", "--like", "dev");
  expect([stack.code, stack.stdout]).toEqual([
    0,
    "  site/stacks.ts\n  Pulumi.stg.yaml\n  site/vms/k8s-stg.yaml\n  site/tests/stack-stg.test.ts\nNext: look at what was written, then npx jest site and homelab preview stg --lab\n",
  ]);
  const vm = await homelab("new", "vm", "spare", "--stack", "stg", "--like", "k8s-stg");
  expect([vm.code, vm.stderr]).toEqual([0, ""]);
  const since = await rehearsal.lastSeq();
  const { code, stdout, stderr } = await homelab("up", "--affected", "HEAD", "--why", "--lab");
  expect([code, code === 0 ? "" : `${stdout}\n${stderr}`]).toEqual([0, ""]);
  expect(stdout).toMatch(
    /^dev: consumes tools\.templateIds, tools\.vaultAddress, tools\.vaultId, tools\.vaultTokens\n {2}tools: changed:\n {4}the plan of nodes, names and grants$/m,
  );
  expect(stdout).toMatch(/^stg: new: /m);
  expect(endsIn(stdout)).toEqual({
    tools: expect.stringMatching(/^succeeded: /),
    dev: "unaffected: tools.templateIds, tools.vaultAddress, tools.vaultId, tools.vaultTokens are as before",
    stg: expect.stringMatching(/^succeeded: /),
  });
  const touched = new Set((await rehearsal.writes(since)).filter(({ system }) => system === "kubernetes").map(({ target }) => target));
  expect(touched.has("dev")).toBe(false);
  expect((await rehearsal.vms()).map(({ config }) => [config["name"], config["ipconfig0"]])).toEqual(
    expect.arrayContaining([
      ["k8s-stg", "gw=10.20.0.1,ip=10.20.0.13/24"],
      ["spare", "gw=10.20.0.1,ip=10.20.0.14/24"],
    ]),
  );
  expect(await rehearsal.resolveAll(["stg.whoami.example.org"], "10.20.0.3")).toEqual({ "stg.whoami.example.org": "10.20.0.13" });
});

test("a stack that is gone from the program is destroyed, and the others know it no more", async () => {
  commit();
  fs.rmSync(path.join(checkout, "Pulumi.stg.yaml"));
  for (const name of ["k8s-stg", "spare"]) fs.rmSync(path.join(checkout, "site/vms", `${name}.yaml`));
  const file = path.join(checkout, "site/stacks.ts");
  fs.writeFileSync(file, withoutStg);
  const { code, stdout, stderr } = await homelab("up", "--affected", "HEAD", "--lab");
  expect([code, code === 0 ? "" : `${stdout}\n${stderr}`]).toEqual([0, ""]);
  expect(stdout).toMatch(/^stg: not in the program any more, so it is destroyed$/m);
  expect(endsIn(stdout)).toMatchObject({ stg: expect.stringMatching(/ deleted$/), dev: expect.stringMatching(/^unaffected: /) });
  expect((await rehearsal.vms()).map(({ config }) => config["name"])).not.toEqual(expect.arrayContaining(["k8s-stg"]));
  expect((await rehearsal.vms()).map(({ config }) => config["name"])).toEqual(expect.arrayContaining(["k8s-dev"]));
});

test("every call was one that the lab models, and none named the homelab of this repository", async () => {
  expect(await rehearsal.unhandled()).toEqual([]);
  expect(JSON.stringify(await rehearsal.records())).not.toMatch(/fullstack|192\.168\.1\./);
});

test("no secret of the owner's got into the lab", async () => {
  const entry = (name: string): string => `cluster-secret-store/secrets/${name}`;
  const only = [entry("EXTERNAL_DNS_PIHOLE_PASSWORD"), entry("SSH_PRIVATE_KEY")];
  const own = await loadSecrets({
    root: path.join(checkout, "secrets"),
    ageKeyFile: path.join(rehearsal.dir, "home/.config/homelab/example.org.agekey"),
    only,
  });
  const values = [...own.values()].flatMap((entries) => Object.values(entries)).map((value) => JSON.stringify(value.trim()).slice(1, -1));
  expect(values).toHaveLength(2);
  const files = fs
    .readdirSync(rehearsal.dir, { recursive: true, withFileTypes: true })
    .filter((file) => file.isFile())
    .map((file) => path.join(file.parentPath, file.name));
  const ofLab = files.filter((file) => !["checkout", "home"].some((folder) => file.startsWith(path.join(rehearsal.dir, folder) + path.sep)));
  expect(ofLab.map((file) => path.basename(file))).toContain("snapshot.json");
  for (const file of ofLab) for (const value of values) expect([file, fs.readFileSync(file, "utf8").includes(value)]).toEqual([file, false]);
  const { code, stdout } = await homelab("destroy", "--lab");
  expect([code, code === 0 ? "" : stdout]).toEqual([0, ""]);
  expect(await rehearsal.machines()).toEqual([]);
});
