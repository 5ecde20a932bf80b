/** `kill -9` of a whole run, then the same command: it continues from what was left, and creates nothing twice. It finds the run's processes by Linux's /proc. */
import * as fs from "node:fs";
import * as path from "node:path";
import { parse } from "yaml";
import { LEFT_OUT } from "../support/homelab";
import { type Finished, Rehearsal } from "../support/rehearsal";
import { testWhere } from "../support/skips";

const { HELD } = require("../../build/node-version.cjs") as { HELD: number[] };
jest.setTimeout(600_000);

let rehearsal: Rehearsal;
beforeAll(async () => {
  rehearsal = new Rehearsal({ stacks: ["tools"], without: LEFT_OUT });
  // With the lab's usual latencies a creation takes long enough to be killed in it.
  const { code, stderr } = await rehearsal.homelab("lab", "start", "--proxy-port", "0", "--bastion-port", "0", "--control-port", "0");
  expect([code, stderr]).toEqual([0, ""]);
  rehearsal.attach();
}, 120_000);
afterAll(() => rehearsal.close(), 60_000);

/** Starts an `up`, waits until it asks Proxmox for a VM, and kills all its processes. */
async function killedWhileCreating(): Promise<Finished> {
  const before = await rehearsal.lastSeq();
  const run = rehearsal.start(["up", "tools", "--lab", "--parallel", "4"]);
  await rehearsal.sawWrite(before, ({ system }) => system === "proxmox");
  rehearsal.killRuns();
  return run.done;
}

const linux = testWhere(fs.existsSync("/proc/self/environ"), "the processes of a run are found by /proc, which this system does not have");

linux("the next up goes on: locks are taken over, what was begun is found, no VM is there twice", async () => {
  expect((await killedWhileCreating()).signal).toBe("SIGKILL");
  const status = await rehearsal.homelab("status", "tools", "--lab");
  expect(status.stdout).toMatch(/^tools +(in doubt|locked|not there)/m);
  expect(status.stdout).toContain("an earlier run (up) did not end in order; in doubt: tools");
  // A preview does not clear the doubt.
  expect((await rehearsal.homelab("preview", "tools", "--lab")).stderr).toContain("in doubt: tools");

  const again = await rehearsal.homelab("up", "tools", "--lab");
  expect([again.code, again.code === 0 ? "" : again.stdout]).toEqual([0, ""]);
  const names = (await rehearsal.machines()).map(({ config }) => config["name"]);
  expect(names.toSorted()).toEqual(["boot-server", "dns", "haproxy", "k8s-tools", "teleport"]);
  expect((await rehearsal.homelab("status", "tools", "--lab")).stdout).toMatch(/^tools +built/m);
  expect((await rehearsal.homelab("pending", "tools", "--lab")).stdout).toBe("no creation is pending\n");

  const settled = await rehearsal.lastSeq();
  expect((await rehearsal.homelab("up", "tools", "--lab")).stdout).toContain(": no changes");
  expect(await rehearsal.writes(settled)).toEqual([]);
});

test("--adopt and --clear exclude each other", async () => {
  expect(await rehearsal.homelab("pending", "--adopt", "--clear", "--lab")).toMatchObject({
    code: 2,
    stderr: "error: --adopt and --clear exclude each other\n",
  });
});

test("a terminal that closes, and a reader that leaves, let the run finish what it has started", async () => {
  const closed = rehearsal.start(["up", "tools", "--lab"]);
  await closed.printed("[tools] started");
  closed.child.kill("SIGHUP");
  expect((await closed.done).code).toBe(130);
  const left = await rehearsal.shell(`node orchestrator/bin/homelab up tools --lab | head -n 1; node orchestrator/bin/homelab status tools --lab`);
  expect(left.out).toMatch(/^up: tools\n/);
  expect(left.out).not.toContain("did not end in order");
  expect(left.out).toMatch(/^tools +built/m);
});

linux("a log on a full disk lets the run finish what it has started, and is an error", async () => {
  const { out, err } = await rehearsal.shell(`exec 3>&1; node orchestrator/bin/homelab up tools --lab >/dev/full; echo "code $?" >&3`);
  expect(out).toMatch(/^code (1|130)\n$/);
  expect(err).toMatch(/^error: ENOSPC: no space left on device, write\n {2}next: make room/);
  const { stdout } = await rehearsal.homelab("status", "tools", "--lab");
  expect(stdout).toMatch(/^tools +built/m);
  expect(stdout).not.toContain("did not end in order");
});

describe("doctor", () => {
  const lines = async (): Promise<{ code: number | null; unwell: [name: string, says: string, next: string][] }> => {
    const { code, stdout } = await rehearsal.homelab("doctor", "--lab", "--json");
    const { checks } = JSON.parse(stdout) as { checks: { name: string; verdict: string; says: string; next?: string }[] };
    const unwell = checks.filter(({ verdict }) => verdict === "wrong").map(({ name, says, next = "" }): [string, string, string] => [name, says, next]);
    return { code, unwell };
  };

  linux("asks the homelab, finds it well, and changes nothing", async () => {
    const before = await rehearsal.lastSeq();
    const { code, stdout } = await rehearsal.homelab("doctor", "--lab");
    expect([code, stdout.match(/^✘ .*$/gm)]).toEqual([0, null]);
    for (const line of [
      new RegExp(`^node +${process.version}: tested \\(the tests run on ${HELD.join(", ")}\\)$`, "m"),
      /^✔ backend +built: 1 of 1 stack$/m,
      /^✔ proxmox +\S+ at https:/m,
      /^✔ token +may do what a run does$/m,
      /^✔ storage node01\/local +/m,
      /^✔ host dns +192\.168\.1\.3 opens$/m,
      /^✔ vault +\S+ at https:\S+ is unsealed$/m,
      /^✔ names +192\.168\.1\.3 knows all \d+ host names$/m,
      /^✔ certificate of vault\.fullstack\.pw +valid until /m,
    ])
      expect(stdout).toMatch(line);
    expect(await rehearsal.writes(before)).toEqual([]);
  });

  linux.each([
    ["proxmox.unavailable", "api", ["proxmox"], /answered with 596/],
    ["ssh.auth-failed", "haproxy", ["host haproxy"], /refuses the key/],
    ["gateway.refuse", "192.168.1.3", ["names"], /192\.168\.1\.3 does not answer/],
    ["tls.expired", "s3.fullstack.pw", ["certificate of s3.fullstack.pw"], /certificate ended on/],
    ["dns.failed", "minio.fullstack.pw", ["certificate of minio.fullstack.pw"], /cannot be reached through the proxy/],
  ])("%s of %s is found, with what to do", async (name, target, names, says) => {
    await rehearsal.fault(name, target);
    const { code, unwell } = await lines();
    expect([code, unwell.map(([found]) => found)]).toEqual([1, names]);
    expect(unwell[0]?.[1]).toMatch(says);
    expect(unwell[0]?.[2]).not.toBe("");
  });

  linux("what was only for a moment is well again", async () => {
    expect(await lines()).toEqual({ code: 0, unwell: [] });
  });
});

const ssh = fs.existsSync("/usr/bin/ssh") && fs.existsSync("/usr/bin/ssh-agent") ? linux : testWhere(false, "OpenSSH is not installed");

ssh("a stock ssh reaches a host by the exported configuration as it was printed, and homelab ssh by the key in secrets/", async () => {
  const printed = await rehearsal.homelab("hosts", "inventory", "--format", "ssh-config", "--lab");
  expect([printed.code, printed.stderr]).toEqual([0, ""]);
  const config = path.join(rehearsal.dir, "printed ssh config");
  fs.writeFileSync(config, printed.stdout);
  const direct = await rehearsal.shell(`ssh -F '${config}' -o BatchMode=yes dns hostname`);
  expect([direct.code, direct.out, direct.err]).toEqual([0, "dns\n", ""]);
  const opened = await rehearsal.homelab("ssh", "haproxy", "--lab", "--", "hostname; exit 7");
  expect([opened.code, opened.stdout, opened.stderr]).toEqual([7, "haproxy\n", ""]);
  expect((await rehearsal.homelab("ssh", "nowhere", "--lab")).code).toBe(2);
});

test("outputs are YAML that can be read back, secrets masked", async () => {
  const { code, stdout } = await rehearsal.homelab("outputs", "tools", "--lab");
  const { tools } = parse(stdout) as { tools: { hosts: Record<string, { address: string }>; vaultToken?: string } };
  expect([code, tools.hosts["dns"]?.address]).toEqual([0, "192.168.1.3"]);
  expect(stdout).toContain('"[secret]"');
});
