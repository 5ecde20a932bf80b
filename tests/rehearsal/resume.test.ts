/**
 * `kill -9` of a whole run while it builds or destroys, then `resume`. And `kill -9` of the lab in the middle of a run, with the run's
 * message. The results are judged by what the outside world saw and still has. HOMELAB_TEST_KILLS=all (make nightly) kills at every record
 * of the journal of the whole estate, and `3,11` at these records. Without it, one sample of `tools` is killed. HOMELAB_TEST_SEED repeats a
 * run. Linux's /proc finds the processes.
 */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { z } from "zod";
import { LEFT_OUT } from "../support/homelab";
import { Rehearsal } from "../support/rehearsal";
import { testWhere } from "../support/skips";

const ASKED = process.env["HOMELAB_TEST_KILLS"] ?? "";
const ALL = ASKED !== "";
const STACKS = ALL ? ["tools", "observability", "home", "sandboxy", "dev", "stg", "prod"] : ["tools"];
const MINUTE = 60_000;
/** Records in which a run can be killed: its start, and the start and end of each stack. */
const RECORDS = 2 * STACKS.length + 1;
const SEED = Number(process.env["HOMELAB_TEST_SEED"] ?? 1);

interface Cut {
  /** How many lines the journal has when the run is killed. */
  records: number;
  /** How many more writes to the outside world it may do before that. */
  writes: number;
}

/** Pseudo-random numbers, the same for the same seed (Park and Miller). */
function* numbers(seed: number): Generator<number> {
  for (let state = seed; ; ) {
    state = (state * 48_271) % 2_147_483_647;
    yield state;
  }
}

const random = numbers(SEED);
const everyCut = (): Cut[] => Array.from({ length: RECORDS }, (_, i) => ({ records: i + 1, writes: (random.next().value as number) % 40 }));
const CUTS: Cut[] = ALL ? everyCut().filter(({ records }) => ASKED === "all" || ASKED.split(",").includes(String(records))) : [{ records: 2, writes: 25 }];

let rehearsal: Rehearsal;
beforeAll(async () => {
  rehearsal = new Rehearsal(ALL ? undefined : { stacks: ["tools", "observability"], without: LEFT_OUT });
  await rehearsal.startLab();
}, 2 * MINUTE);
afterAll(() => rehearsal.close(), MINUTE);

function journalRecords(): number {
  const runs = path.join(rehearsal.dir, "runs");
  const newest = fs.existsSync(runs)
    ? fs
        .readdirSync(runs)
        .filter((name) => /^\d{6}-/.test(name))
        .toSorted()
        .at(-1)
    : undefined;
  return newest === undefined ? 0 : fs.readFileSync(path.join(runs, newest, "journal.jsonl"), "utf8").split("\n").length - 1;
}

/** Starts a run and kills it at that point, unless it has ended before. @returns whether it was killed */
async function cut({ records, writes }: Cut, ...args: string[]): Promise<boolean> {
  const runs = fs.existsSync(path.join(rehearsal.dir, "runs")) ? fs.readdirSync(path.join(rehearsal.dir, "runs")).length : 0;
  const began = (): boolean => fs.existsSync(path.join(rehearsal.dir, "runs")) && fs.readdirSync(path.join(rehearsal.dir, "runs")).length > runs;
  const before = await rehearsal.lastSeq();
  const run = rehearsal.start(args);
  let over = false;
  const done = run.done.then((finished) => {
    over = true;
    return finished;
  });
  const look = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));
  while (!over && !(began() && journalRecords() >= records)) await look();
  const reached = (await rehearsal.writes(before)).length;
  while (!over && (await rehearsal.writes(before)).length < reached + writes) await look();
  rehearsal.killRuns();
  return (await done).signal === "SIGKILL";
}

async function succeed(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await rehearsal.homelab(...args);
  expect([args, code, code === 0 ? "" : stderr + stdout]).toEqual([args, 0, ""]);
  return stdout;
}

const machines = async (): Promise<string[]> => (await rehearsal.machines()).map(({ vmid, config }) => `${vmid} ${config["name"]}`);

const linux = testWhere(fs.existsSync("/proc/self/environ"), "the processes of a run are found by /proc, which this system does not have");
let built: string[] = [];
/** The plan of `tools` from a preview before anything existed. */
const fromNothing = path.join(os.tmpdir(), `homelab-plan-${process.pid}.json`);
afterAll(() => fs.rmSync(fromNothing, { force: true }));

describe.each(CUTS)("killed at record $records and $writes writes later", (at) => {
  linux(
    "an up is resumed: all is built once, nothing is pending, and a next up writes nothing",
    async () => {
      await succeed("preview", "tools", "--plan", fromNothing, "--lab");
      const before = await rehearsal.lastSeq();
      const killed = await cut(at, "up", ...STACKS, "--lab", "--concurrency", "2");
      const status = await succeed("status", "--lab");
      if (killed) expect(status).toContain("an earlier run (up) did not end in order");
      const resumed = await succeed("resume", "--lab");
      expect(resumed).toContain(killed ? "up of " : "no run is left to resume");
      expect(await succeed("status", "--lab")).not.toMatch(/did not end in order|in doubt/);
      expect(await succeed("resume", "--lab")).toBe("no run is left to resume: the last one ended in order\n");
      expect(await succeed("pending", ...STACKS, "--lab")).toBe("no creation is pending\n");
      const found = await machines();
      expect(found.toSorted()).toEqual([...new Set(found)].toSorted());
      if (built.length > 0) expect(found.toSorted()).toEqual(built);
      built = found.toSorted();
      // Each machine was created once, and none was deleted again.
      const writes = await rehearsal.writes(before);
      const made = writes.filter(({ system, action }) => system === "proxmox" && action === "clone").map(({ target }) => target);
      expect(made.toSorted()).toEqual([...new Set(made)].toSorted());
      expect(writes.filter(({ system, action }) => system === "proxmox" && /destroy|delete/i.test(action))).toEqual([]);
      const settled = await rehearsal.lastSeq();
      await succeed("up", ...STACKS, "--lab");
      expect(await rehearsal.writes(settled)).toEqual([]);
    },
    30 * MINUTE,
  );

  linux(
    "drift names the field that was changed behind the state, and changes nothing",
    async () => {
      const token = (await succeed("vault", "root", "--lab")).trim();
      const { body } = await rehearsal.vault("sys/policies/acl?list=true", token);
      const names = z.object({ data: z.object({ keys: z.array(z.string()) }) }).parse(body).data.keys;
      const name = names.find((key) => key.startsWith("namespace.")) ?? "";
      const route = `sys/policies/acl/${name}`;
      const { policy } = z.object({ data: z.object({ policy: z.string() }) }).parse((await rehearsal.vault(route, token)).body).data;
      const write = (text: string) => rehearsal.vault(route, token, { method: "PUT", body: { policy: text } });
      expect((await write('path "nothing" { capabilities = ["deny"] }')).status).toBe(204);
      const before = await rehearsal.lastSeq();
      const found = await rehearsal.homelab("drift", "tools", "--lab", "--json");
      const report = z
        .object({
          drifted: z.boolean(),
          stacks: z.array(
            z.object({
              stack: z.string(),
              error: z.unknown().optional(),
              resources: z.array(z.looseObject({ type: z.string(), fields: z.array(z.looseObject({ path: z.string() })) })),
            }),
          ),
        })
        .parse(JSON.parse(found.stdout));
      expect([found.code, found.stderr, report.drifted, report.stacks.map(({ error }) => error)]).toEqual([3, "", true, [undefined]]);
      expect(report.stacks.flatMap(({ resources }) => resources.map(({ type, fields }) => [type, fields.map(({ path: at }) => at)]))).toEqual([
        ["vault:index/policy:Policy", ["policy"]],
      ]);
      expect(await rehearsal.writes(before)).toEqual([]);
      expect((await write(policy)).status).toBe(204);
      expect(await succeed("drift", "tools", "--lab")).toBe("nothing has drifted\n");
    },
    30 * MINUTE,
  );

  linux(
    "a plan is refused where it was changed, and where what it says is no longer what would be done; it is followed where it is",
    async () => {
      const file = path.join(rehearsal.dir, "plan.json");
      await succeed("preview", "tools", "--plan", file, "--lab");
      const before = await rehearsal.lastSeq();
      expect(await succeed("up", "--plan", file, "--lab")).toContain("no changes");
      const text = fs.readFileSync(file, "utf8");
      fs.writeFileSync(file, text.replace('"tools"', '"other"'));
      const changed = await rehearsal.homelab("up", "--plan", file, "--lab");
      expect([changed.code, changed.stderr]).toEqual([4, expect.stringContaining("was changed after it was written")]);
      const old = await rehearsal.homelab("up", "--plan", fromNothing, "--lab");
      expect([old.code, old.stderr]).toEqual([4, expect.stringContaining("tools: - create VmLegacy dns-vm: in the plan, and no longer to be done")]);
      expect(await rehearsal.writes(before)).toEqual([]);
    },
    30 * MINUTE,
  );

  linux(
    "a destroy is resumed: nothing is left, and it can be built again",
    async () => {
      const killed = await cut(at, "destroy", "--lab", "--concurrency", "2");
      const resumed = await succeed("resume", "--lab");
      expect(resumed).toContain(killed ? "destroy of " : "no run is left to resume");
      expect(await machines()).toEqual([]);
      await succeed("destroy", "--lab");
      expect(await succeed("resume", "--lab")).toBe("no run is left to resume: the last one ended in order\n");
      expect(await rehearsal.unhandled()).toEqual([]);
    },
    30 * MINUTE,
  );
});

linux(
  "a lab that ends in the middle of an up is the reason that is given, at once; a lab that starts again and the same command finish it",
  async () => {
    const { pid } = JSON.parse(fs.readFileSync(path.join(rehearsal.dir, "lab.json"), "utf8")) as { pid: number };
    const before = await rehearsal.lastSeq();
    const run = rehearsal.start(["up", ...STACKS, "--lab"]);
    while ((await rehearsal.writes(before)).length < 40) await new Promise((resolve) => setTimeout(resolve, 20));
    process.kill(pid, "SIGKILL");
    const { code, stdout, stderr } = await run.done;
    expect([code, stderr, stdout]).toEqual([1, "", expect.stringContaining("✘ tools: the lab ended while the run was under way\n  next: start it again with")]);
    expect((await rehearsal.homelab("status", "--lab")).stderr).toContain("the lab is not running");
    await succeed("lab", "start", "--latency", "zero");
    rehearsal.attach();
    expect(await succeed("status", "--lab")).toContain("in doubt: tools");
    await succeed("up", ...STACKS, "--lab");
    const found = (await machines()).toSorted();
    expect(found).toEqual(built.length > 0 ? built : [...new Set(found)]);
    expect(await succeed("status", "--lab")).not.toMatch(/did not end in order|in doubt/);
    const settled = await rehearsal.lastSeq();
    await succeed("up", ...STACKS, "--lab");
    expect(await rehearsal.writes(settled)).toEqual([]);
  },
  30 * MINUTE,
);
