import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { describeError } from "../../common/errors";
import type { RunEvent, StackOutcome } from "../schedule/run";
import { RunJournal, unfinishedRun } from "./run-journal";

let dir: string;
beforeEach(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), "runs-"));
});
afterEach(() => fs.rmSync(dir, { recursive: true, force: true }));

const started = (operation: string): RunEvent => ({ kind: "run-started", at: 1, operation, stacks: ["tools", "dev"] });
const stackStarted = (stack: string): RunEvent => ({ kind: "stack-started", at: 2, stack });
const stackFinished = (stack: string): RunEvent => {
  const outcome: StackOutcome = { stack, status: "succeeded", changes: {}, startedAt: 2, finishedAt: 3 };
  return { kind: "stack-finished", at: 3, stack, outcome };
};
const finished: RunEvent = { kind: "run-finished", at: 4, ok: true };

/** The journal of a run whose process is gone, as a kill leaves it. @param minute orders the runs */
function killed(minute: number, operation: string, ...events: RunEvent[]): void {
  const file = path.join(dir, `2026-01-01T00-0${minute}-00.000Z-${operation}.journal.jsonl`);
  const script = `const { RunJournal } = require(${JSON.stringify(path.join(__dirname, "../../bin/orchestrator/run/run-journal.js"))});
    const journal = new RunJournal(process.argv[1]); for (const event of JSON.parse(process.argv[2])) journal.append(event);`;
  const { status, stderr } = spawnSync(process.execPath, ["-e", script, file, JSON.stringify([started(operation), ...events])], { encoding: "utf8" });
  expect([status, stderr]).toEqual([0, ""]);
}

test("a killed run says which stacks are in doubt; one that ended in order says nothing", () => {
  killed(1, "up", stackStarted("tools"), stackFinished("tools"), stackStarted("dev"));
  expect(unfinishedRun(dir)).toEqual({ file: expect.stringContaining("00-01-00"), operation: "up", inDoubt: ["dev"] });
  killed(2, "up", stackStarted("dev"), stackFinished("dev"), finished);
  expect(unfinishedRun(dir)).toBeUndefined();
});

test("a preview, or a run of other stacks, leaves the doubt as it is", () => {
  killed(1, "up", stackStarted("dev"));
  killed(2, "preview", stackStarted("tools"), stackFinished("tools"), finished);
  killed(3, "preview-destroy", stackStarted("tools"));
  killed(4, "up", stackStarted("tools"), stackFinished("tools"), finished);
  expect(unfinishedRun(dir)).toMatchObject({ operation: "up", inDoubt: ["dev"] });
});

test("a run that is under way is not one that ended", () => {
  const journal = new RunJournal(path.join(dir, "2026-01-01T00-00-00.000Z-up.journal.jsonl"));
  journal.append(started("up"));
  journal.append(stackStarted("tools"));
  expect(unfinishedRun(dir)).toBeUndefined();
  journal.close();
});

test("a line that was cut off is not read", () => {
  killed(1, "up", stackStarted("dev"));
  fs.appendFileSync(path.join(dir, "2026-01-01T00-01-00.000Z-up.journal.jsonl"), '{"kind":"stack-fin\n{"kind":"run-finished"}\n');
  expect(unfinishedRun(dir)?.inDoubt).toEqual(["dev"]);
});

const full = fs.existsSync("/dev/full") ? test : test.skip;
full("a full disk is said once, with the file and what to do, and is no bug", () => {
  const journal = new RunJournal("/dev/full");
  let thrown: unknown;
  try {
    journal.append(started("up"));
  } catch (caught) {
    thrown = caught;
  }
  expect(describeError(thrown)).toBe(`the run's journal /dev/full cannot be written: what ran was finished, and nothing new was started
  because: ENOSPC: no space left on device, write
  next: make room for it, then run the same command again: it goes on from the saved state`);
  expect(() => journal.append(finished)).not.toThrow();
  journal.close();
});
