/** What the flags of a run and its signals do by the command line. Judged by what the outside world saw, and by the run's own files. */
import * as fs from "node:fs";
import { isSurelyRunning, ownIdentity } from "../../common/process-identity";
import { eventSchema } from "../../orchestrator/schedule/event-schema";
import { runFactsSchema } from "../../orchestrator/store/run-facts";
import type { Finished } from "../support/running-command";
import { SmallEstate, soon } from "../support/small-estate";

jest.setTimeout(240_000);

const [DONE, FAILED, INTERRUPTED] = [0, 1, 130];

let estate: SmallEstate;
beforeAll(() => {
  estate = new SmallEstate({});
});
afterEach(() => estate.kill());
afterAll(() => estate.close());

/** The events of --json, each of which has to hold against the published schema. */
const eventsOf = ({ stdout }: Finished) =>
  stdout
    .trim()
    .split("\n")
    .map((line) => eventSchema.parse(JSON.parse(line)));

test("the run's folder says which process ran what, of which commit, by which engine; its events and files are of the published forms; old runs go", async () => {
  estate.define({ a: { things: { one: {} } }, b: { needs: ["a"], things: { two: { meets: 3 } } } });
  const hash = await estate.commit();
  for (let number = 1; number <= 110; number++) {
    const name = `.homelab/runs/${String(number).padStart(6, "0")}-2020-01-01T00-00-00Z-preview`;
    const facts = { version: 1, operation: "preview", site: "real", siteName: "small.example.org", stacks: [], arguments: [], pid: 1 };
    estate.write(`${name}/run.json`, JSON.stringify({ ...facts, startedAt: "2020-01-01T00:00:00.000Z", engine: { name: "embedded", why: "" } }));
    estate.write(`${name}/journal.jsonl`, '{"kind":"run-started"}\n{"kind":"run-finished"}\n');
  }
  const junit = estate.file("junit.xml");
  const run = estate.up("--json", "--junit", junit, "--report", estate.file("given.json"), "--engine", "embedded");
  await estate.begun("two");
  const facts = runFactsSchema.parse(JSON.parse(estate.ofLastRun("run.json")));
  const { process: identity, startedAt, ...rest } = facts;
  expect(rest).toEqual({
    version: 1,
    operation: "up",
    site: "real",
    siteName: "small.example.org",
    stacks: ["a", "b"],
    arguments: ["--yes", "--json", "--junit", junit, "--report", estate.file("given.json"), "--engine", "embedded"],
    pid: run.child.pid,
    commit: { hash, clean: true },
    engine: { name: "embedded", why: "asked for" },
  });
  expect(Math.abs(Date.parse(startedAt) - Date.now())).toBeLessThan(240_000);
  if (ownIdentity() !== undefined) expect(identity !== undefined && isSurelyRunning(identity)).toBe(true);
  estate.release();

  const finished = await run.done;
  expect([finished.code, finished.stderr]).toEqual([DONE, ""]);
  const kinds = eventsOf(finished).map(({ kind }) => kind);
  expect(kinds.filter((kind) => /^(run|stack)-/.test(kind))).toEqual(
    ["preview", "up"].flatMap(() => ["run-started", "stack-started", "stack-finished", "stack-started", "stack-finished", "run-finished"]),
  );
  expect(kinds).toContain("step-done");
  expect(fs.readFileSync(junit, "utf8").match(/<testcase [^>]*name="[ab]"/g)).toHaveLength(2);
  expect(JSON.parse(fs.readFileSync(estate.file("given.json"), "utf8"))).toEqual(estate.report());
  // Old ones are removed, except the newest ten.
  const kept = fs.readdirSync(estate.runs).filter((name) => /^\d/.test(name));
  expect(kept.length).toBeLessThan(15);
});

test("--concurrency is how many stacks run at once", async () => {
  estate.define({ c1: { things: { c1: { meets: 2 } } }, c2: { things: { c2: { meets: 2 } } } });
  expect((await estate.up("--concurrency", "2").done).code).toBe(DONE);
  expect(estate.saw().slice(0, 2).toSorted()).toEqual(["Create c1", "Create c2"]);
  estate.define({ c3: { things: { c3: { meets: 2 } } }, c4: { things: { c4: {} } } });
  const run = estate.up("--concurrency", "1");
  await estate.begun("c3");
  // Where there is a place for it, a stack starts at the same moment. The preview has started each once.
  expect(run.said().match(/\[c4\] started/g)).toHaveLength(1);
  estate.release();
  expect((await run.done).code).toBe(DONE);
  expect(estate.saw()).toEqual(["Create c3", "Create by-hand", "Done c3", "Create c4", "Done c4"]);
});

test("of stacks that wait for a place, the one that took longest in earlier runs goes first", async () => {
  estate.define({ k1: { things: { k1: {} } }, k2: { things: { k2: { meets: 3 } } } });
  const run = estate.up("--concurrency", "1");
  await estate.begun("k2");
  estate.pass(5);
  estate.release();
  expect((await run.done).code).toBe(DONE);
  estate.change({ k1: { things: { more1: {} } }, k2: { things: { more2: {} } } });
  expect((await estate.up("--concurrency", "1").done).code).toBe(DONE);
  expect(estate.saw()).toEqual(["Create more2", "Done more2", "Create more1", "Done more1"]);
});

test("--fail-fast starts nothing after a failure, and --try-once tries nothing again", async () => {
  const stacks = { f1: { things: { f1: { failsFirst: "PVE_LOCK" } } }, f2: { things: { f2: {} } } };
  estate.define(stacks);
  expect((await estate.up("--concurrency", "1", "--fail-fast", "--try-once").done).code).toBe(FAILED);
  expect([estate.saw(), estate.ends()]).toEqual([
    ["Create f1"],
    [
      ["f1", "failed", "E_STACK_FAILED"],
      ["f2", "cancelled", undefined],
    ],
  ]);
});

test("a stack that fails for a moment is tried again, and each try is in the report, in the page and on the screen", async () => {
  estate.define({ r: { things: { r: { failsFirst: "PVE_LOCK" } } } });
  const run = estate.up();
  await run.printed("try 1 failed");
  expect(estate.saw()).toEqual(["Create r"]);
  const { code, stdout } = await estate.passUntilEnd(1, run);
  expect([code, estate.saw()]).toEqual([DONE, ["Create r", "Create r", "Done r"]]);
  expect(stdout).toContain("r: try 1 failed (busy) and was followed by another\n");
  const [{ retries } = { retries: undefined }] = estate.report().stacks;
  expect(retries).toEqual([{ attempt: 1, class: "busy", message: expect.stringContaining("it is taken"), delay: expect.any(Number) }]);
  expect(estate.ofLastRun("report.html")).toMatch(/r: try 1 failed \(busy\); the next came \d+\.\d s later/);
});

test("a stack that hangs for longer than --stack-timeout is cancelled, then killed, and is in doubt; the others are not touched", async () => {
  estate.define({ h: { things: { h: { hangs: true } } }, w: { things: { w: {} } }, x: { needs: ["h"], things: { x: {} } } });
  const run = estate.up("--stack-timeout", "30");
  await estate.begun("h");
  // The preview has said the same of w.
  await soon(() => (run.said().match(/\[w\] succeeded/g) ?? []).length === 2);
  const finished = await estate.passUntilEnd(30, run);
  expect([finished.code, estate.saw().toSorted()]).toEqual([FAILED, ["Create h", "Create w", "Done w"]]);
  expect(estate.ends()).toEqual([
    ["h", "failed", "E_STACK_TIMEOUT"],
    ["w", "succeeded", undefined],
    ["x", "skipped", undefined],
  ]);
  expect(estate.report().stacks[0]?.error?.message).toBe("the stack did not end within 1800 s");
  expect(await estate.inDoubt()).toBe("h");
});

test("a run that takes longer than --timeout says so, cancels what runs and starts nothing more", async () => {
  estate.define({ t: { things: { t: { hangs: "until-cancel" } } }, u: { needs: ["t"], things: { u: {} } }, v: { things: { v: {} } } });
  const run = estate.up("--timeout", "30", "--json", "--concurrency", "1");
  await estate.begun("t");
  estate.pass(30);
  const finished = await run.done;
  expect([finished.code, estate.saw()]).toEqual([FAILED, ["Create t"]]);
  expect(eventsOf(finished).filter(({ kind }) => kind === "timed-out")).toEqual([expect.objectContaining({ after: 30 * 60_000 })]);
  expect(estate.ends()).toEqual([
    ["t", "failed", "E_RUN_TIMEOUT"],
    ["u", "cancelled", undefined],
    ["v", "cancelled", undefined],
  ]);
  expect(await estate.inDoubt()).toBeUndefined();
});

test("a first SIGTERM lets what runs finish, a second cancels it, a third kills what does not heed that", async () => {
  estate.define({
    s: { things: { s: { meets: 2 } } },
    s2: { needs: ["s"], things: { s2: { hangs: "until-cancel" } } },
    s3: { needs: ["s"], things: { s3: { hangs: true } } },
  });
  const first = estate.up();
  await estate.begun("s");
  first.child.kill("SIGTERM");
  await first.printed("what runs is finished, nothing new starts");
  estate.release();
  expect((await first.done).code).toBe(INTERRUPTED);
  expect(estate.saw().filter((line) => !line.endsWith("by-hand"))).toEqual(["Create s", "Done s"]);

  const second = estate.up();
  await Promise.all([estate.begun("s2"), estate.begun("s3")]);
  second.child.kill("SIGTERM");
  await second.printed("what runs is finished, nothing new starts");
  second.child.kill("SIGTERM");
  await second.printed("[s2] cancelled");
  second.child.kill("SIGTERM");
  expect((await second.done).code).toBe(INTERRUPTED);
  expect(estate.ends()).toEqual([
    ["s", "succeeded", undefined],
    ["s2", "cancelled", "E_CANCELLED"],
    ["s3", "cancelled", "E_CANCELLED"],
  ]);
  expect(estate.saw().filter((line) => line.startsWith("Done"))).toEqual(["Done s"]);
  expect(await estate.inDoubt()).toBe("s3");
});
