/**
 * A small case of the whole rehearsals (tests/support/rehearsals.cjs), for `make test`: the smallest homelab that `homelab init` writes is
 * built, killed once on the way, and destroyed. The results are judged by what the outside world saw. The tests depend on each other and
 * run in order.
 */
import * as fs from "node:fs";
import { removeHomelab } from "../support/homelab";
import { type Finished, Rehearsal } from "../support/rehearsal";
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

  expect(await succeed("resume", "--lab")).toContain("up of ");
  expect(await succeed("pending", "--lab")).toBe("no creation is pending\n");
  expect(await machines()).toEqual(["dns", "k8s-dev", "k8s-tools"]);
  const writes = await rehearsal.writes();
  const clones = writes.filter(({ system, action }) => system === "proxmox" && action === "clone").map(({ target }) => target);
  expect(clones.toSorted()).toEqual([...new Set(clones)].toSorted());
  const lastOfTools = writes.findLast(({ system, target }) => system === "kubernetes" && target === "tools")?.seq ?? Number.NaN;
  expect(lastOfTools).toBeLessThan(writes.find(({ target }) => target === "k8s-dev")?.seq ?? Number.NaN);
});

test("a second up writes nothing, every host is as its roles made it, and nothing has drifted", async () => {
  const before = await rehearsal.lastSeq();
  const up = await succeed("up", "--lab");
  expect(up.match(/succeeded in .*: no changes/g)).toHaveLength(2);
  await succeed("hosts", "check", "--lab");
  expect(await succeed("drift", "dev", "--lab")).toBe("nothing has drifted\n");
  expect(await rehearsal.writes(before)).toEqual([]);
});

test("destroy leaves no VM, and every call was one that the lab models", async () => {
  await succeed("destroy", "--lab");
  expect(await machines()).toEqual([]);
  expect(await rehearsal.unhandled()).toEqual([]);
});
