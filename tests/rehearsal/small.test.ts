/**
 * A small case of the whole rehearsals (tests/support/rehearsals.cjs), for `make test`: the smallest homelab that `homelab init` writes is
 * built, killed once on the way, and destroyed. The results are judged by what the outside world saw. The tests depend on each other and
 * run in order.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { driftSchema } from "../../orchestrator/drift/drift-schema";
import { reportSchema } from "../../orchestrator/report/report-schema";
import { removeHomelab } from "../support/homelab";
import { type Finished, Rehearsal } from "../support/rehearsal";
import { runbookCommands } from "../support/runbook";
import { testWhere } from "../support/skips";

jest.setTimeout(300_000);

const SITE = ["--domain", "example.org", "--network", "10.20.0.0/24", "--node", "pve=10.20.0.2", "--stacks", "tools,dev", "--user", "ops"];

let rehearsal: Rehearsal;
/** HOMELAB_SECRETS_DIR is empty, so that the lab generates its own secrets. */
const env = { HOMELAB_SECRETS_DIR: "" };
const start = (...args: string[]) => rehearsal.start(args, { env });
const homelab = (...args: string[]): Promise<Finished> => start(...args).done;

async function succeed(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await homelab(...args);
  expect([args, code, code === 0 ? "" : stderr + stdout]).toEqual([args, 0, ""]);
  return stdout;
}

const machines = async (): Promise<(string | undefined)[]> => (await rehearsal.machines()).map(({ config }) => config["name"]).toSorted();

beforeAll(async () => {
  rehearsal = new Rehearsal();
  fs.rmSync(rehearsal.secretsDir, { recursive: true });
  removeHomelab(rehearsal.checkout);
  await succeed("init", "--yes", ...SITE);
  await succeed("lab", "start", "--latency", "zero", "--proxy-port", "0", "--bastion-port", "0", "--control-port", "0");
  rehearsal.attach();
});
afterAll(async () => {
  await homelab("lab", "stop");
  await rehearsal.close();
});

const linux = testWhere(fs.existsSync("/proc/self/environ"), "the processes of a run are found by /proc, which this system does not have");

linux("a build that is killed is resumed: each stack after what it needs, and no machine is made twice", async () => {
  const run = start("up", "--lab");
  await rehearsal.sawWrite(0, ({ system, action }) => system === "proxmox" && action === "clone");
  rehearsal.killRuns();
  expect((await run.done).signal).toBe("SIGKILL");
  expect(await succeed("status", "--lab")).toContain("an earlier run (up) did not end in order");

  const resuming = start("resume", "--lab");
  await resuming.printed("[tools] started");
  // It stands still, so that it is under way for as long as somebody looks.
  resuming.child.kill("SIGSTOP");
  const seen = await succeed("status", "--lab");
  resuming.child.kill("SIGCONT");
  expect(seen).toMatch(/^a run is under way: up, process \d+, 0 of 2 stacks done\n {2}tools runs\n {2}dev waits for tools$/m);
  const { code, stdout, stderr } = await resuming.done;
  expect([code, stderr, stdout]).toEqual([0, expect.any(String), expect.stringContaining("up of ")]);
  expect(await succeed("pending", "--lab")).toBe("no creation is pending\n");
  expect(await machines()).toEqual(["dns", "k8s-dev", "k8s-tools"]);
  const writes = await rehearsal.writes();
  const clones = writes.filter(({ system, action }) => system === "proxmox" && action === "clone").map(({ target }) => target);
  expect(clones.toSorted()).toEqual([...new Set(clones)].toSorted());
  const lastOfTools = writes.findLast(({ system, target }) => system === "kubernetes" && target === "tools")?.seq ?? Number.NaN;
  expect(lastOfTools).toBeLessThan(writes.find(({ target }) => target === "k8s-dev")?.seq ?? Number.NaN);
});

const runs = (): string => path.join(rehearsal.dir, "runs");

test("a run leaves its report, as data and as a page with all that it built; latest.* names both", async () => {
  const newest =
    fs
      .readdirSync(runs())
      .filter((name) => /^\d{6}-/.test(name))
      .toSorted()
      .at(-1) ?? "";
  for (const kind of ["json", "html"])
    expect(fs.realpathSync(path.join(runs(), `latest.${kind}`))).toBe(fs.realpathSync(path.join(runs(), newest, `report.${kind}`)));
  const report = reportSchema.parse(JSON.parse(fs.readFileSync(path.join(runs(), "latest.json"), "utf8")));
  expect(report).toMatchObject({ version: 1, operation: "up", site: "lab", ok: true, changed: true });
  expect(report.stacks.map(({ stack, status, steps }) => [stack, status, steps.length > 0])).toEqual([
    ["tools", "succeeded", true],
    ["dev", "succeeded", true],
  ]);
  const page = fs.readFileSync(path.join(runs(), "latest.html"), "utf8");
  for (const name of ["tools", "dev", "dns", "k8s-tools", "k8s-dev", "pve"]) expect(page).toContain(name);
});

test("map writes the page from the last run of each stack: nothing is run, and nothing is asked of the homelab", async () => {
  const [before, folders] = [await rehearsal.lastSeq(), fs.readdirSync(runs())];
  const file = path.join(rehearsal.dir, "estate.html");
  expect(await succeed("map", "--lab", "--to", file)).toBe(`${file}\n`);
  const page = fs.readFileSync(file, "utf8");
  for (const name of ["tools", "dev", "dns", "k8s-tools", "k8s-dev", "pve"]) expect(page).toContain(name);
  const { startedAt } = JSON.parse(fs.readFileSync(path.join(runs(), "latest.json"), "utf8")) as { startedAt: string };
  // Each stack says which run it is from.
  expect(page.split(`last run ${startedAt}`).length - 1).toBeGreaterThanOrEqual(2);
  expect([fs.readdirSync(runs()), await rehearsal.records(before)]).toEqual([folders, []]);
});

test("a second up writes nothing, every host is as its roles made it, and nothing has drifted", async () => {
  const before = await rehearsal.lastSeq();
  const up = await succeed("up", "--lab");
  expect(up.match(/succeeded in .*: no changes/g)).toHaveLength(2);
  await succeed("hosts", "check", "--lab");
  expect(await succeed("drift", "dev", "--lab")).toBe("nothing has drifted\n");
  expect(await rehearsal.writes(before)).toEqual([]);
});

const ssh = testWhere(fs.existsSync("/usr/bin/ssh") && fs.existsSync("/usr/bin/ssh-agent"), "OpenSSH's client is not installed");

ssh("drift finds a host that somebody changed, and changes nothing; status counts it", async () => {
  await succeed("ssh", "k8s-dev", "--lab", "--", "echo '# by-hand' | sudo -n tee -a /etc/rancher/k3s/config.yaml");
  const before = await rehearsal.lastSeq();
  const { code, stdout, stderr } = await homelab("drift", "dev", "--lab", "--json");
  const { drifted, stacks, hosts } = driftSchema.parse(JSON.parse(stdout));
  expect([code, stderr, drifted, stacks]).toEqual([3, "", true, [{ stack: "dev", resources: [] }]]);
  const changed = hosts.flatMap(({ host, status, roles }) => [
    [host, status, roles.flatMap(({ operations }) => operations.filter((one) => one.status === "would-change").map(({ operation }) => operation))],
  ]);
  expect(changed).toEqual([["k8s-dev", "would-change", expect.arrayContaining(["file /etc/rancher/k3s/config.yaml"])]]);
  expect(await rehearsal.writes(before)).toEqual([]);
  const status = await succeed("status", "--lab");
  expect(status).toMatch(/^dev +built .* 1 host, just now$/m);
  expect(status).toMatch(/^tools +built .* –$/m);
});

test("a Vault that is sealed is opened by what docs/runbooks.md says", async () => {
  const commands = runbookCommands("Vault is sealed");
  expect(commands.slice(0, 2)).toEqual(["vault status", "vault unseal"]);
  const [look = "", open = ""] = commands;
  const typed = (line: string): Promise<string> => succeed(...line.split(" "), "--lab");
  // The next call of its clients seals it.
  await rehearsal.fault("vault.sealed");
  expect((await homelab("vault", "orphans", "--lab")).code).toBe(1);
  expect(await typed(look)).toMatch(/^https:\S+: sealed$/m);
  expect(await typed(open)).toMatch(/^https:\S+: unsealed$/m);
  expect(await typed(look)).toMatch(/^https:\S+: unsealed$/m);
});

test("destroy leaves no VM, and every call was one that the lab models", async () => {
  await succeed("destroy", "--lab");
  expect(await machines()).toEqual([]);
  expect(await rehearsal.unhandled()).toEqual([]);
});
