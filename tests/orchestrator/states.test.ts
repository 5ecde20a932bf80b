/** Runs that start from states which a killed run or an earlier commit left. They are judged by what the outside world saw. Linux's /proc finds a run's processes. */
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { ageEncryptFile } from "../../secrets/age";
import { parseKeyFile } from "../../secrets/age-keys";
import { LEFT_OUT } from "../support/homelab";
import { LabState, withDependents } from "../support/lab-state";
import { Rehearsal } from "../support/rehearsal";
import { testWhere } from "../support/skips";

jest.setTimeout(600_000);

let rehearsal: Rehearsal;
let state: LabState;
beforeAll(async () => {
  rehearsal = new Rehearsal({ stacks: ["tools", "observability"], without: LEFT_OUT });
  // With the lab's usual latencies a creation takes long enough to be killed in it.
  const { code, stderr } = await rehearsal.homelab("lab", "start", "--proxy-port", "0", "--bastion-port", "0", "--control-port", "0");
  expect([code, stderr]).toEqual([0, ""]);
  rehearsal.attach();
  state = new LabState(rehearsal, "tools");
}, 120_000);
afterAll(() => rehearsal.close(), 60_000);

const linux = testWhere(fs.existsSync("/proc/self/environ"), "the processes of a run are found by /proc, which this system does not have");

const NOTHING_PENDING = "no creation is pending\n";
const homelab = (...args: string[]) => rehearsal.homelab(...args, "tools", "--lab");
const urns = async (): Promise<string[]> => (await state.resources()).map(({ urn }) => urn);

/** Makes all images pending creations, also those that the killed run had recorded in time. @returns the URN of each node's image */
async function leaveImagesPending(): Promise<Map<string, string>> {
  const exported = await state.read();
  const { resources, pending_operations: left = [] } = exported.deployment;
  const made = resources.filter(({ type }) => type.endsWith(":FileLegacy"));
  const gone = withDependents(
    resources,
    made.map(({ urn }) => urn),
  );
  const cut = made.map(({ id: _id, outputs: _outputs, ...resource }) => ({ resource, type: "creating" }));
  exported.deployment.resources = resources.filter(({ urn }) => !gone.has(urn));
  exported.deployment.pending_operations = [...left, ...cut].filter(({ resource }) => resource.type.endsWith(":FileLegacy"));
  await state.write(exported);
  return new Map(exported.deployment.pending_operations.map(({ resource: { urn, inputs } }) => [String(inputs?.["nodeName"]), urn]));
}

test("a preview from nothing says of each stack whether it is complete, or which outputs of which stack it waits for; nothing is written", async () => {
  const { code, stdout, stderr } = await rehearsal.homelab("preview", "--lab");
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout).toMatch(/^tools +complete +\d{2,} .*\nobservability +unknown outputs +\d+ /m);
  const waits = /^observability waits for tools, whose outputs are unknown until it is up: (.*)$/m.exec(stdout)?.[1]?.split(", ");
  expect(waits).toEqual(["vaultId", "vaultTokens"]);
  expect(stdout).not.toMatch(/^tools waits for/m);
  expect(await rehearsal.writes()).toEqual([]);
});

linux("images that a killed run was downloading are adopted under the ids that a creation gives, and are not downloaded again", async () => {
  const run = rehearsal.start(["up", "tools", "--lab", "--parallel", "4"]);
  await rehearsal.sawWrite(0, ({ action }) => action === "download");
  rehearsal.killRuns();
  await run.done;
  const pending = await leaveImagesPending();
  const there = await rehearsal.nodesWithImage();
  expect(there.length).toBeGreaterThan(0);
  const listed = (await homelab("pending")).stdout;
  for (const [node, urn] of pending) expect(listed).toContain(`tools: ${urn} (id ${node}/local:import/`);

  const before = await rehearsal.lastSeq();
  const adopted = await homelab("pending", "--adopt");
  expect([adopted.code, adopted.stderr]).toEqual([0, ""]);
  expect(adopted.stdout).toContain(NOTHING_PENDING);
  expect(await rehearsal.writes(before)).toEqual([]);
  const files = (await state.resources()).filter(({ type }) => type.endsWith(":FileLegacy"));
  expect(files.map(({ urn }) => urn).toSorted()).toEqual(there.map((node) => pending.get(node) ?? `${node} was not pending`).toSorted());
  for (const { id, outputs } of files) expect([id, outputs]).toEqual([expect.stringMatching(/^local:import\/[^/]+$/), expect.objectContaining({ id })]);

  const up = await homelab("up");
  expect([up.code, up.code === 0 ? "" : up.stdout]).toEqual([0, ""]);
  const downloads = (await rehearsal.writes()).filter(({ action }) => action === "download").map(({ target }) => target);
  expect(downloads.toSorted()).toEqual(["node01", "node02", "node03"]);
});

/** Takes one resource out of the state, as if the engine had been killed while creating it. @returns its URN */
async function leavePending(type: string): Promise<string> {
  const exported = await state.read();
  const { resources } = exported.deployment;
  // Prefers one that no other resource depends on.
  const ofType = resources.filter((resource) => resource.type === type);
  const found = ofType.find(({ urn }) => withDependents(resources, [urn]).size === 1) ?? ofType[0];
  if (found === undefined) throw new Error(`the stack has no ${type}`);
  const { id: _id, outputs: _outputs, ...resource } = found;
  const withoutIt = <T>(value: T): T =>
    JSON.parse(JSON.stringify(value, (_, item) => (Array.isArray(item) ? item.filter((each) => each !== found.urn) : item)));
  exported.deployment.resources = resources.filter(({ urn }) => urn !== found.urn).map(withoutIt);
  exported.deployment.pending_operations = [{ resource, type: "creating" }];
  await state.write(exported);
  return found.urn;
}

/** Kills a run before it has done anything, which leaves the stack in doubt. */
async function leaveDoubt(): Promise<void> {
  const run = rehearsal.start(["up", "tools", "--lab"]);
  await run.printed("[tools] started");
  rehearsal.killRuns();
  await run.done;
  expect((await homelab("status")).stdout).toContain("in doubt: tools");
}

linux("pending --clear forgets what a killed run did not finish, and does not touch what it made", async () => {
  const urn = await leavePending("kubernetes:postgresql.cnpg.io/v1:ScheduledBackup");
  const before = await rehearsal.lastSeq();
  const cleared = await homelab("pending", "--clear");
  expect([cleared.code, cleared.stdout]).toEqual([0, `tools: ${urn}\ntools: forgotten\n${NOTHING_PENDING}`]);
  expect(await rehearsal.writes(before)).toEqual([]);
  expect(await urns()).not.toContain(urn);
  expect((await homelab("pending")).stdout).toBe(NOTHING_PENDING);
  // The object still exists. Since objects are applied under their names, the next up takes it into the state again; nothing else changes.
  expect((await homelab("up")).stdout).toContain(": 1 created");
});

linux("a refresh of a stack in doubt finds what was begun, so that the up behind it makes nothing twice", async () => {
  const urn = await leavePending("proxmoxve:index/vmLegacy:VmLegacy");
  await leaveDoubt();
  const before = await rehearsal.lastSeq();
  expect((await homelab("refresh")).code).toBe(0);
  expect(await urns()).toContain(urn);
  expect(await rehearsal.writes(before)).toEqual([]);
});

/** Writes the resources into the state's file, since the engine refuses to import a state that breaks the rules. */
async function breakState({ deployment }: Awaited<ReturnType<LabState["read"]>>): Promise<void> {
  const file = fs
    .readdirSync(path.join(rehearsal.dir, "state", ".pulumi", "stacks"), { recursive: true, encoding: "utf8" })
    .find((name) => path.basename(name) === "tools.json");
  if (file === undefined) throw new Error("there is no state of tools");
  const target = path.join(rehearsal.dir, "state", ".pulumi", "stacks", file);
  const stored = JSON.parse(fs.readFileSync(target, "utf8"));
  fs.writeFileSync(
    target,
    JSON.stringify({ ...stored, checkpoint: { ...stored.checkpoint, latest: { ...stored.checkpoint.latest, resources: deployment.resources } } }),
  );
}

const COMMAND = "pulumi:providers:command";

/** Gives the stack `tools` a state like that of earlier commits, in which all commands had the default provider. @returns how many commands */
async function withDefaultProvider(): Promise<number> {
  const exported = await state.read();
  const { resources } = exported.deployment;
  const explicit = resources.find(({ type }) => type === COMMAND);
  if (explicit?.id === undefined) throw new Error("the stack has no provider of commands");
  const before = { ...explicit, urn: `urn:pulumi:tools::homelab::${COMMAND}::default_1_2_1`, id: "d39462d7-9c5a-450e-8661-92b0f47f9eac" };
  delete before.parent;
  const [old, now] = [`${before.urn}::${before.id}`, `${explicit.urn}::${explicit.id}`];
  let moved = 0;
  for (const resource of resources) {
    if (resource.provider !== now) continue;
    resource.provider = old;
    moved++;
  }
  exported.deployment.resources = [before, ...resources.filter((resource) => resource !== explicit)];
  await state.write(exported);
  return moved;
}

test("commands of the default provider are given to the explicit one, and none runs again", async () => {
  expect(await withDefaultProvider()).toBeGreaterThan(10);
  const settled = await rehearsal.lastSeq();
  const preview = await homelab("preview", "--plain");
  expect(preview.stdout).toContain(`[tools] ${COMMAND} command to create\n`);
  expect(preview.stdout).toMatch(/^tools +complete +1 +0 +0 +0 /m);
  const up = await homelab("up", "--plain");
  expect(up.stdout).toMatch(/^tools +succeeded +1 +0 +0 +0 /m);
  expect(await rehearsal.writes(settled)).toEqual([]);
  const providers = (await state.resources()).filter(({ type }) => type.startsWith("command:")).map(({ provider }) => provider?.split("::")[3]);
  expect(new Set(providers)).toEqual(new Set(["command"]));
});

/** Runs `homelab state`, asserts that it succeeds, and returns its output. */
async function said(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await rehearsal.homelab("state", ...args, "--lab");
  expect([args, code, code === 0 ? "" : stderr + stdout]).toEqual([args, 0, ""]);
  return stdout;
}

/** A backup in the layout of `images/state-backup/backup.sh`, which tests/real/state-backup.real.test.ts runs. @returns its folder */
function nightlyBackup(deployment: object): string {
  const dir = path.join(rehearsal.dir, "nightly");
  const lab = parseKeyFile(fs.readFileSync(path.join(__dirname, "..", "..", "secrets", "lab-only.agekey"), "utf8"));
  const stored = { version: 3, checkpoint: { stack: "organization/homelab/tools", latest: deployment } };
  const sealed = ageEncryptFile(
    Buffer.from(JSON.stringify(stored)),
    lab.map(({ recipient }) => recipient),
  );
  fs.mkdirSync(path.join(dir, "states"), { recursive: true });
  fs.writeFileSync(path.join(dir, "states", "tools.json.age"), sealed);
  fs.writeFileSync(path.join(dir, "SHA256SUMS"), `${createHash("sha256").update(sealed).digest("hex")}  ./states/tools.json.age\n`);
  fs.writeFileSync(path.join(dir, "backup.json"), JSON.stringify({ version: 1, site: "fullstack.pw", takenAt: "2026-11-30T02:00:00Z" }));
  return dir;
}

test("a state is copied, put back and repaired; what was there is kept, and what is no whole copy is refused before anything is written", async () => {
  const whole = await state.read();
  const copy = path.join(rehearsal.dir, "copy");
  expect(await said("backup", "tools", "--to", copy)).toContain(`tools: ${whole.deployment.resources.length} resources\n`);
  expect(fs.statSync(path.join(copy, "tools.json")).mode & 0o777).toBe(0o600);
  // Removes an entry that others refer to: no run accepts such a state.
  const broken = await state.read();
  const parent = broken.deployment.resources.find(({ type }) => type === "homelab:hosts:Vm")?.urn ?? "";
  broken.deployment.resources = broken.deployment.resources.filter(({ urn }) => urn !== parent);
  await breakState(broken);
  const repaired = await said("repair", "tools");
  expect(repaired).toMatch(/^what was there is kept in .*-before-repair$/m);
  expect((await state.resources()).some(({ parent: of }) => of === parent)).toBe(false);
  const restored = await said("restore", "tools", "--from", copy);
  expect(restored).toMatch(/^what was there is kept in .*-before-restore$/m);
  // An import encrypts the secrets anew, so they cannot be compared here. A preview would show a difference.
  const names = ({ deployment }: typeof whole): string[] => deployment.resources.map(({ urn, id }) => `${urn} ${id}`);
  expect(names(await state.read())).toEqual(names(whole));
  expect((await homelab("preview", "--expect-no-changes")).code).toBe(0);
  // A backup of the module state-backup is decrypted by the lab's key and restored in the same way.
  await breakState(broken);
  const opened = await said("restore", "tools", "--from", nightlyBackup(whole.deployment));
  expect(opened).toMatch(/^the backup is opened in .*-opened$/m);
  expect(names(await state.read())).toEqual(names(whole));
  expect((await homelab("preview", "--expect-no-changes")).code).toBe(0);
  expect(await said("history", "tools", "--count", "3")).toMatch(/^tools +(update|refresh|destroy) +succeeded /m);

  const refusal = async (...args: string[]): Promise<string> => {
    const { code, stderr } = await rehearsal.homelab("state", ...args, "--lab");
    expect(code).toBeGreaterThan(0);
    return stderr;
  };
  expect(await refusal("backup", "tools", "--to", copy)).toContain("is not empty");
  expect(await refusal("restore", "tools")).toContain("--from DIR");
  expect(await refusal("restore", "observability", "--from", copy)).toContain("has no copy of observability");
  expect(await refusal("restore", "tools", "--from", rehearsal.dir)).toContain("manifest.json is not there");
  fs.appendFileSync(path.join(copy, "tools.json"), " ");
  expect(await refusal("restore", "tools", "--from", copy)).toContain("tools.json is not what was written");
  fs.rmSync(path.join(copy, "tools.json"));
  expect(await refusal("restore", "tools", "--from", copy)).toContain("tools.json is not there");
  const real = await rehearsal.homelab("state", "restore", "tools", "--from", copy);
  expect([real.code, real.stdout]).toEqual([1, ""]);
  expect(names(await state.read())).toEqual(names(whole));
});

linux("a VM that is gone with its node is forgotten: nothing is asked of the node, and the next up makes it anew with all that was in it", async () => {
  const refused = await rehearsal.homelab("state", "forget", "tools", "dnss", "--lab");
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("did you mean dns?")]);
  const dns = (await rehearsal.machines()).find(({ config }) => config["name"] === "dns");
  if (dns === undefined) throw new Error("there is no VM dns");
  const whole = await urns();
  const before = await rehearsal.lastSeq();
  const forgotten = await rehearsal.homelab("state", "forget", "tools", "dns", "--lab");
  expect([forgotten.code, forgotten.stderr]).toEqual([0, ""]);
  expect(forgotten.stdout).toMatch(/^what was there is kept in .*-before-forget$/m);
  // Requests to Vault are those of External Secrets.
  expect((await rehearsal.records(before)).filter(({ system }) => system !== "vault")).toEqual([]);
  const left = await urns();
  expect(whole.filter((urn) => !left.includes(urn)).map((urn) => urn.split("::").at(-1))).toEqual(["dns-vm"]);
  // Removes the VM, as if its node had been taken out of Proxmox.
  const guest = `nodes/${dns.node}/qemu/${dns.vmid}`;
  expect((await rehearsal.proxmox("POST", `${guest}/status/stop`)).status).toBe(200);
  await rehearsal.settle();
  expect((await rehearsal.proxmox("DELETE", guest)).status).toBe(200);
  await rehearsal.settle();
  const gone = await rehearsal.lastSeq();
  const up = await homelab("up");
  expect([up.code, up.code === 0 ? "" : up.stdout]).toEqual([0, ""]);
  const writes = await rehearsal.writes(gone);
  expect(writes.filter(({ action }) => action === "clone").map(({ target }) => target)).toHaveLength(1);
  expect((await urns()).toSorted()).toEqual(whole.toSorted());
  expect(await rehearsal.resolveAll(["vault.fullstack.pw"])).toEqual({ "vault.fullstack.pw": expect.any(String) });
  expect((await homelab("preview", "--expect-no-changes")).code).toBe(0);
});

linux("destroy takes away what a killed up had begun, too", async () => {
  const exported = await state.read();
  const { resources } = exported.deployment;
  const vm = resources.find(({ type, urn }) => type === "proxmoxve:index/vmLegacy:VmLegacy" && urn.includes("::teleport"));
  if (vm === undefined) throw new Error("there is no VM teleport");
  // Removes it and its dependents from the state, as if the engine had been killed while it was cloned.
  const gone = withDependents(resources, [vm.urn]);
  const { id: _id, outputs: _outputs, ...resource } = vm;
  exported.deployment.resources = resources.filter(({ urn }) => !gone.has(urn));
  exported.deployment.pending_operations = [{ resource, type: "creating" }];
  await state.write(exported);
  await leaveDoubt();
  const destroyed = await homelab("destroy");
  expect([destroyed.code, destroyed.code === 0 ? "" : destroyed.stdout]).toEqual([0, ""]);
  expect(await rehearsal.vms()).toEqual([]);
});
