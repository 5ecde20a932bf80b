import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import fc from "fast-check";
import { describeError } from "../../common/errors";
import { writeFileAtomic } from "../../common/files";
import { ownIdentity } from "../../common/process-identity";
import type { RunEvent, StackOutcome } from "../schedule/run";
import { pruneRuns, RUN_LIMITS } from "./prune-runs";
import type { RunFacts } from "./run-facts";
import { foldRuns, type RunsFold } from "./run-fold";
import { makeRunsFolder, RunFolder } from "./run-folder";
import { readRuns } from "./run-records";

let dir: string;
beforeEach(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), "runs-"));
});
afterEach(() => fs.rmSync(dir, { recursive: true, force: true }));

const STACKS = ["tools", "dev"];
const dead = { ...(ownIdentity() ?? { startTime: "1", bootId: "b", pidNamespace: "n", machineId: "m" }), pid: spawnSync(process.execPath, ["-e", ""]).pid };
const facts = (operation: string, more: Partial<RunFacts> = {}): RunFacts => ({
  version: 1,
  operation,
  site: "lab",
  siteName: "example.org",
  stacks: STACKS,
  arguments: ["--lab"],
  startedAt: "2026-01-01T00:00:00.000Z",
  pid: dead.pid,
  process: dead,
  engine: { name: "embedded", why: "asked for" },
  ...more,
});

const stackStarted = (stack: string): RunEvent => ({ kind: "stack-started", at: 2, stack });
const ended = (stack: string, status: StackOutcome["status"] = "succeeded", inDoubt?: true): RunEvent => {
  const outcome: StackOutcome = { stack, status, changes: {}, startedAt: 2, finishedAt: 3, outputs: { key: { value: "hvs.secret", secret: true } } };
  return { kind: "stack-finished", at: 3, stack, outcome: inDoubt ? { ...outcome, inDoubt } : outcome };
};
const finished: RunEvent = { kind: "run-finished", at: 4, ok: true };

/** What a run leaves. @returns its folder */
function left(given: string | RunFacts, ...events: RunEvent[]): string {
  const of = typeof given === "string" ? facts(given) : given;
  const folder = new RunFolder(dir, of, writeFileAtomic);
  folder.append({ kind: "run-started", at: 1, operation: of.operation, stacks: of.stacks });
  for (const event of events) folder.append(event);
  folder.close();
  return folder.dir;
}

/** The same, for many: nothing is synced. */
function leftQuickly(number: number, of: RunFacts, ...events: RunEvent[]): void {
  const run = path.join(dir, `${String(number).padStart(6, "0")}-x`);
  fs.mkdirSync(run, { recursive: true });
  fs.writeFileSync(path.join(run, "run.json"), JSON.stringify(of));
  const line = (event: RunEvent): object => (event.kind === "stack-finished" ? { kind: event.kind, ...event.outcome } : event);
  fs.writeFileSync(path.join(run, "journal.jsonl"), events.map((event) => `${JSON.stringify(line(event))}\n`).join(""));
}

const fold = (): RunsFold => foldRuns(readRuns(dir));

test("a run is a folder with what it is, its journal and its events; outputs are in none of them", () => {
  const run = left("up", stackStarted("tools"), ended("tools"), finished);
  expect(path.basename(run)).toBe("000001-2026-01-01T00-00-00Z-up");
  expect(fs.readdirSync(run)).toEqual(["events.jsonl", "journal.jsonl", "run.json"]);
  expect(fs.statSync(run).mode & 0o777).toBe(0o700);
  for (const file of fs.readdirSync(run)) {
    expect(fs.statSync(path.join(run, file)).mode & 0o777).toBe(0o600);
    expect(fs.readFileSync(path.join(run, file), "utf8")).not.toContain("hvs.secret");
  }
  expect(JSON.parse(fs.readFileSync(path.join(run, "run.json"), "utf8"))).toEqual(facts("up"));
});

test("a killed run says what is in doubt and what is left; a later run of those stacks settles it", () => {
  left("up", stackStarted("tools"), ended("tools"), stackStarted("dev"));
  expect(fold()).toMatchObject({ inDoubt: ["dev"], unfinished: { operation: "up", left: ["dev"] } });
  left("up", stackStarted("dev"), ended("dev"), finished);
  expect(fold()).toMatchObject({ inDoubt: [], unfinished: undefined, damaged: [] });
});

test("what is in doubt is hidden by nothing but a run that settled it", () => {
  left("up", stackStarted("dev"));
  left("preview", stackStarted("dev"), ended("dev"), finished);
  left("preview-destroy", stackStarted("tools"));
  left("up", stackStarted("tools"), ended("tools"), finished);
  // Other runs of the stack that failed, were cancelled, or were interrupted as well.
  left("up", stackStarted("dev"), ended("dev", "failed"), finished);
  left("up", stackStarted("dev"), ended("dev", "cancelled"), finished);
  left("up", stackStarted("dev"));
  expect(fold()).toMatchObject({ inDoubt: ["dev"], unfinished: { left: ["tools", "dev"] } });
  left("refresh", stackStarted("dev"), ended("dev"), finished);
  // Read again, but not done.
  expect(fold()).toMatchObject({ inDoubt: [], unfinished: { operation: "up", left: ["tools", "dev"] } });
  left("destroy", stackStarted("dev"), ended("dev"), stackStarted("tools"), ended("tools"), finished);
  expect(fold()).toMatchObject({ inDoubt: [], unfinished: undefined });
});

test("a worker that was killed leaves its stack in doubt, though its run ended in order", () => {
  left("up", stackStarted("dev"), ended("dev", "failed", true), finished);
  expect(fold()).toMatchObject({ inDoubt: ["dev"], unfinished: undefined });
  left("up", stackStarted("dev"), ended("dev", "failed"), finished);
  expect(fold().inDoubt).toEqual(["dev"]);
});

test("a run that is under way is not one that ended; one of another machine cannot be seen, and is in doubt", () => {
  const own = ownIdentity();
  if (own === undefined) return;
  left(facts("up", { pid: process.pid, process: own }), stackStarted("tools"));
  expect(fold()).toMatchObject({ inDoubt: [], unfinished: undefined });
  left(facts("up", { process: { ...own, pidNamespace: "another" } }), stackStarted("tools"));
  expect(fold().inDoubt).toEqual(["tools"]);
});

test("the number orders the runs where the clock jumps", () => {
  left(facts("up", { startedAt: "2026-06-01T00:00:00.000Z" }), stackStarted("dev"));
  left(facts("up", { startedAt: "2020-01-01T00:00:00.000Z" }), stackStarted("dev"), ended("dev"), finished);
  expect(fold().inDoubt).toEqual([]);
});

describe("damage", () => {
  const journal = (run: string): string => path.join(run, "journal.jsonl");

  test("a last line that was cut is not read", () => {
    const run = left("up", stackStarted("dev"));
    fs.appendFileSync(journal(run), '{"kind":"stack-fin');
    expect(fold()).toMatchObject({ inDoubt: ["dev"], damaged: [] });
    fs.appendFileSync(journal(run), "\0\0\0\n");
    expect(fold()).toMatchObject({ inDoubt: ["dev"], damaged: [] });
  });

  test("a hole in the journal is reported, and leaves every stack in doubt whose end is not certain", () => {
    const run = left("up", stackStarted("tools"), ended("tools"), finished);
    const lines = fs.readFileSync(journal(run), "utf8").split("\n");
    fs.writeFileSync(journal(run), [lines[0], "rubbish", ...lines.slice(2)].join("\n"));
    expect(fold()).toMatchObject({ inDoubt: ["dev"], damaged: [{ dir: run, damage: "journal.jsonl, line 2 is not what a run writes", stacks: STACKS }] });
  });

  test.each([
    ["run.json", "run.json is not there"],
    ["journal.jsonl", "journal.jsonl is not there"],
  ])("without %s its other file says which stacks are in doubt", (file, damage) => {
    const run = left("up", stackStarted("tools"));
    fs.rmSync(path.join(run, file));
    expect(fold()).toMatchObject({ inDoubt: STACKS, unfinished: { left: STACKS }, damaged: [{ dir: run, damage }] });
  });

  test("a folder from which nothing can be read is reported until somebody removes it, whatever runs", () => {
    const run = left("up", stackStarted("tools"));
    for (const file of fs.readdirSync(run)) fs.writeFileSync(path.join(run, file), "{}\n{}\n");
    left("up", ...STACKS.flatMap((stack) => [stackStarted(stack), ended(stack)]), finished);
    expect(fold()).toMatchObject({ inDoubt: [], damaged: [{ dir: run, damage: "run.json is not what a run writes", stacks: undefined }] });
    fs.rmSync(run, { recursive: true });
    expect(fold().damaged).toEqual([]);
  });

  test("wherever a power cut ends the journal, what was synced counts, and nothing else is taken for done", () => {
    const events = [stackStarted("tools"), ended("tools"), stackStarted("dev"), ended("dev", "failed"), finished];
    const run = left("up", ...events);
    const whole = fs.readFileSync(journal(run));
    // The line ends, of which the first is that of `run-started`.
    const ends = [...whole].flatMap((byte, at) => (byte === 10 ? [at + 1] : []));
    for (let bytes = 0; bytes <= whole.length; bytes++) {
      const synced = ends.filter((end) => end <= bytes).length - 1;
      // The rest of the last line is missing, or has its length and no content.
      for (const rest of ["", "\0".repeat((ends[synced + 1] ?? bytes) - bytes), "\0\n"].slice(0, bytes === ends[synced] ? 3 : 2)) {
        fs.writeFileSync(journal(run), Buffer.concat([whole.subarray(0, bytes), Buffer.from(rest)]));
        const { inDoubt, unfinished, damaged } = fold();
        const doubt = synced === 1 ? ["tools"] : synced === 3 ? ["dev"] : [];
        const undone = synced < 2 ? STACKS : synced < 5 ? ["dev"] : undefined;
        expect({ bytes, inDoubt, left: unfinished?.left, damaged }).toEqual({ bytes, inDoubt: doubt, left: undone, damaged: [] });
      }
    }
  });

  test("wherever a power cut ends run.json, the journal says the stacks", () => {
    const run = left("up", stackStarted("tools"));
    const whole = fs.readFileSync(path.join(run, "run.json"));
    for (let bytes = 0; bytes < whole.length - 1; bytes += 7) {
      fs.writeFileSync(path.join(run, "run.json"), whole.subarray(0, bytes));
      expect(fold()).toMatchObject({
        inDoubt: STACKS,
        unfinished: { operation: "up", left: STACKS },
        damaged: [{ damage: "run.json is not what a run writes" }],
      });
    }
  });

  test("a folder that was not finished does not count as a run, and is removed", () => {
    fs.mkdirSync(path.join(dir, `.new-${dead.pid}-x`));
    expect(readRuns(dir)).toEqual([]);
    pruneRuns(dir, [], fold(), 0);
    expect(fs.readdirSync(dir)).toEqual([]);
  });
});

test("a journal from before runs had folders still says what is in doubt", () => {
  const lines = [
    { kind: "run-started", operation: "up", stacks: STACKS },
    { kind: "stack-started", stack: "dev" },
  ];
  fs.writeFileSync(path.join(dir, "2025-01-01T00-00-00.000Z-up.journal.jsonl"), lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  expect(fold()).toMatchObject({ inDoubt: ["dev"], unfinished: { left: STACKS } });
  left("up", ...STACKS.flatMap((stack) => [stackStarted(stack), ended(stack)]), finished);
  expect(fold()).toMatchObject({ inDoubt: [], unfinished: undefined });
});

describe("what cannot be written", () => {
  const failure = (act: () => unknown): string => {
    try {
      act();
    } catch (thrown) {
      return describeError(thrown);
    }
    return "";
  };
  const full = Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });

  test("a folder for it: nothing was started", () => {
    fs.writeFileSync(path.join(dir, "file"), "");
    expect(failure(() => new RunFolder(path.join(dir, "file", "runs"), facts("up"), writeFileAtomic))).toMatch(
      /^no folder for this run can be made in .*file\/runs: nothing was started\n {2}because: ENOTDIR.*\n {2}next: make room there, give this user the right to write, or /,
    );
  });

  test("a folder for it where something else has that name: a file, or a link that leads back to itself", () => {
    fs.writeFileSync(path.join(dir, "file"), "");
    fs.symlinkSync("loop", path.join(dir, "loop"));
    for (const name of ["file", "loop"])
      expect(failure(() => makeRunsFolder(path.join(dir, name)))).toMatch(
        new RegExp(`^no folder for this run can be made in .*/${name}: nothing was started\n.* move away what has that name and is no folder`, "s"),
      );
  });

  test("a line of it: reported once, and nothing is written after half a line", () => {
    let room = 1;
    const folder = new RunFolder(dir, facts("up"), writeFileAtomic, (fd, text) => {
      if (room-- <= 0) throw full;
      return fs.writeSync(fd, text);
    });
    expect(
      failure(() => folder.append(stackStarted("tools"))),
    ).toBe(`the run's folder ${folder.dir} cannot be written: what ran was finished, and nothing new was started
  because: ENOSPC: no space left on device, write
  next: make room for it, then run the same command again: it goes on from the saved state`);
    room = 10;
    expect(() => folder.append(finished)).not.toThrow();
    folder.close();
    expect(fold().inDoubt).toEqual(["tools"]);
  });
});

const DAY = 24 * 3_600_000;
const now = Date.parse("2026-06-01T00:00:00.000Z");
const daysAgo = (days: number): string => new Date(now - days * DAY).toISOString();

test("old runs go by number and by age; the newest few stay however old they are", () => {
  for (let i = 0; i < RUN_LIMITS.most + 5; i++) leftQuickly(i + 1, facts("preview", { startedAt: daysAgo(i < 50 ? 200 : 1) }), finished);
  pruneRuns(dir, readRuns(dir), fold(), now);
  expect(readRuns(dir).map(({ id }) => Number(id.slice(0, 6)))).toEqual(Array.from({ length: 55 }, (_, i) => 51 + i));
  pruneRuns(dir, readRuns(dir), fold(), now + 1000 * DAY);
  expect(readRuns(dir)).toHaveLength(RUN_LIMITS.least);
});

test("a run's number is not given twice, and a pruning that was cut is finished", () => {
  left("preview", finished);
  left("preview", finished);
  fs.renameSync(path.join(dir, readRuns(dir)[0]?.id ?? ""), path.join(dir, ".gone-x"));
  left("preview", finished);
  pruneRuns(dir, readRuns(dir), fold(), now);
  expect(fs.readdirSync(dir).map((name) => name.slice(0, 6))).toEqual(["000002", "000003"]);
});

/** Runs of all kinds and endings. */
const anyRun = fc.record({
  operation: fc.constantFrom("up", "destroy", "refresh", "preview"),
  days: fc.integer({ min: 0, max: 400 }),
  ends: fc.array(fc.tuple(fc.constantFrom("tools", "dev", "stg"), fc.constantFrom("succeeded", "failed", "cancelled", "killed", "cut" as const)), {
    maxLength: 4,
  }),
  over: fc.boolean(),
});

test("pruning does not change the fold of all runs", () => {
  fc.assert(
    fc.property(fc.array(anyRun, { minLength: 12, maxLength: 30 }), (runs) => {
      fs.rmSync(dir, { recursive: true, force: true });
      for (const [i, { operation, days, ends, over }] of runs.entries()) {
        const events = [...new Map(ends)].flatMap(([stack, how]) => {
          if (how === "cut") return [stackStarted(stack)];
          return [stackStarted(stack), how === "killed" ? ended(stack, "failed", true) : ended(stack, how as StackOutcome["status"])];
        });
        leftQuickly(i + 1, facts(operation, { startedAt: daysAgo(days), stacks: ["tools", "dev", "stg"] }), ...events, ...(over ? [finished] : []));
      }
      const before = fold();
      pruneRuns(dir, readRuns(dir), before, now);
      const after = fold();
      expect([after.standings, after.inDoubt.toSorted(), after.unfinished]).toEqual([before.standings, before.inDoubt.toSorted(), before.unfinished]);
    }),
    { numRuns: 100 },
  );
});

test("a run's folder, those above it that are new, and each line of its journal are on the disk before the run goes on; its other events are not waited for", () => {
  const bin = path.join(__dirname, "..", "..", "bin");
  const script = `
    const fs = require("node:fs");
    const names = new Map();
    const did = [];
    const watch = (name, note) => {
      const real = fs[name];
      fs[name] = (...args) => {
        const result = real(...args);
        note(args, result);
        return result;
      };
    };
    // A folder has another name until it is whole; a file that is replaced has one too.
    const called = (file) => require("node:path").basename(file).replace(/^\\.new-.*/, "folder").replace(/^0.*/, "folder").replace(/\\.\\d+\\.\\d+\\.part$/, "");
    watch("openSync", ([file], fd) => names.set(fd, called(file)));
    watch("fsyncSync", ([fd]) => did.push("sync " + names.get(fd)));
    watch("renameSync", ([, to]) => did.push("rename " + called(to)));
    watch("writeSync", ([fd]) => did.push("write " + names.get(fd)));
    const { RunFolder } = require(${JSON.stringify(path.join(bin, "orchestrator/store/run-folder.js"))});
    const { writeFileAtomic } = require(${JSON.stringify(path.join(bin, "common/files.js"))});
    const folder = new RunFolder(process.argv[1], JSON.parse(process.argv[2]), writeFileAtomic);
    for (const event of JSON.parse(process.argv[3])) folder.append(event);
    console.log(JSON.stringify(did));`;
  const diagnostic: RunEvent = { kind: "diagnostic", at: 2, stack: "dev", severity: "info", urn: "", message: "all is well" };
  const events = [stackStarted("dev"), diagnostic, ended("dev"), finished];
  const runs = path.join(dir, "checkout", ".homelab", "runs");
  fs.mkdirSync(path.join(dir, "checkout"));
  const { stdout, stderr } = spawnSync(process.execPath, ["-e", script, runs, JSON.stringify(facts("up")), JSON.stringify(events)], { encoding: "utf8" });
  expect(stderr).toBe("");
  const line = ["write journal.jsonl", "sync journal.jsonl", "write events.jsonl"];
  const above = ["sync .homelab", "sync checkout"];
  const made = [...above, "sync run.json", "rename run.json", "sync folder", "sync folder", "rename folder", "sync runs"];
  expect(JSON.parse(stdout)).toEqual([...made, ...line, "write events.jsonl", ...line, ...line]);
});
