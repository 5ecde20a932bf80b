/** What the flags of a run, its signals and its gates do by the command line. Judged by what the outside world saw, and by the run's own files. */
import * as fs from "node:fs";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import * as path from "node:path";
import { isSurelyRunning, ownIdentity } from "../../common/process-identity";
import { isProcessAlive } from "../../common/processes";
import { type RunReport, reportSchema } from "../../orchestrator/report/report-schema";
import { eventSchema } from "../../orchestrator/schedule/event-schema";
import { runFactsSchema } from "../../orchestrator/store/run-facts";
import { spansOf } from "../support/otlp-spans";
import type { Finished, RunningCommand } from "../support/running-command";
import { SmallEstate, soon } from "../support/small-estate";

jest.setTimeout(240_000);

/** The user of that name on most systems. */
const NOBODY = 65_534;
const [DONE, FAILED, REFUSED, INTERRUPTED] = [0, 1, 4, 130];

let estate: SmallEstate;
beforeAll(() => {
  estate = new SmallEstate({});
});
afterEach(() => estate.kill());
afterAll(() => estate.close());

const up = (...flags: string[]): RunningCommand => estate.start(["up", "--yes", ...flags]);
const report = (): RunReport => reportSchema.parse(JSON.parse(estate.ofLastRun("report.json")));
const ends = (): [stack: string, status: string, code: string | undefined][] => report().stacks.map(({ stack, status, error }) => [stack, status, error?.code]);
/** The events of --json, each of which has to hold against the published schema. */
const eventsOf = ({ stdout }: Finished) =>
  stdout
    .trim()
    .split("\n")
    .map((line) => eventSchema.parse(JSON.parse(line)));
const begun = (name: string): Promise<void> => soon(() => estate.saw().includes(`Create ${name}`));
const inDoubt = async (): Promise<string | undefined> => /in doubt: ([^;\n]*)/.exec((await estate.homelab("status")).stdout)?.[1];

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
  const run = up("--json", "--junit", junit, "--report", estate.file("given.json"), "--engine", "embedded");
  await begun("two");
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
  expect(JSON.parse(fs.readFileSync(estate.file("given.json"), "utf8"))).toEqual(report());
  // The preview and the up removed what was old and more than a hundred; of the old ones, the newest nine were young enough by number.
  const kept = fs.readdirSync(estate.runs).filter((name) => /^\d/.test(name));
  expect(kept.length).toBeLessThan(15);
});

test("--concurrency is how many stacks run at once", async () => {
  estate.define({ c1: { things: { c1: { meets: 2 } } }, c2: { things: { c2: { meets: 2 } } } });
  expect((await up("--concurrency", "2").done).code).toBe(DONE);
  expect(estate.saw().slice(0, 2).toSorted()).toEqual(["Create c1", "Create c2"]);
  estate.define({ c3: { things: { c3: { sleepMs: 1_000 } } }, c4: { things: { c4: { sleepMs: 1_000 } } } });
  expect((await up("--concurrency", "1").done).code).toBe(DONE);
  expect(estate.saw()).toEqual(["Create c3", "Done c3", "Create c4", "Done c4"]);
});

test("--fail-fast starts nothing after a failure, and --try-once tries nothing again", async () => {
  const stacks = { f1: { things: { f1: { failsFirst: "PVE_LOCK" } } }, f2: { things: { f2: {} } } };
  estate.define(stacks);
  expect((await up("--concurrency", "1", "--fail-fast", "--try-once").done).code).toBe(FAILED);
  expect([estate.saw(), ends()]).toEqual([
    ["Create f1"],
    [
      ["f1", "failed", "E_STACK_FAILED"],
      ["f2", "cancelled", undefined],
    ],
  ]);
});

test("a stack that fails for a moment is tried again, and each try is in the report, in the page and on the screen", async () => {
  estate.define({ r: { things: { r: { failsFirst: "PVE_LOCK" } } } });
  const run = up();
  await run.printed("try 1 failed");
  expect(estate.saw()).toEqual(["Create r"]);
  const { code, stdout } = await estate.passUntilEnd(1, run);
  expect([code, estate.saw()]).toEqual([DONE, ["Create r", "Create r", "Done r"]]);
  expect(stdout).toContain("r: try 1 failed (busy) and was followed by another\n");
  const [{ retries } = { retries: undefined }] = report().stacks;
  expect(retries).toEqual([{ attempt: 1, class: "busy", message: expect.stringContaining("it is taken"), delay: expect.any(Number) }]);
  expect(estate.ofLastRun("report.html")).toMatch(/r: try 1 failed \(busy\); the next came \d+\.\d s later/);
});

test("a stack that hangs for longer than --stack-timeout is cancelled, then killed, and is in doubt; the others are not touched", async () => {
  estate.define({ h: { things: { h: { hangs: true } } }, w: { things: { w: {} } }, x: { needs: ["h"], things: { x: {} } } });
  const run = up("--stack-timeout", "30");
  await begun("h");
  // The preview has said the same of w.
  await soon(() => (run.said().match(/\[w\] succeeded/g) ?? []).length === 2);
  const finished = await estate.passUntilEnd(30, run);
  expect([finished.code, estate.saw().toSorted()]).toEqual([FAILED, ["Create h", "Create w", "Done w"]]);
  expect(ends()).toEqual([
    ["h", "failed", "E_STACK_TIMEOUT"],
    ["w", "succeeded", undefined],
    ["x", "skipped", undefined],
  ]);
  expect(report().stacks[0]?.error?.message).toBe("the stack did not end within 1800 s");
  expect(await inDoubt()).toBe("h");
});

test("a run that takes longer than --timeout says so, cancels what runs and starts nothing more", async () => {
  estate.define({ t: { things: { t: { hangs: "until-cancel" } } }, u: { needs: ["t"], things: { u: {} } }, v: { things: { v: {} } } });
  const run = up("--timeout", "30", "--json", "--concurrency", "1");
  await begun("t");
  estate.pass(30);
  const finished = await run.done;
  expect([finished.code, estate.saw()]).toEqual([FAILED, ["Create t"]]);
  expect(eventsOf(finished).filter(({ kind }) => kind === "timed-out")).toEqual([expect.objectContaining({ after: 30 * 60_000 })]);
  expect(ends()).toEqual([
    ["t", "failed", "E_RUN_TIMEOUT"],
    ["u", "cancelled", undefined],
    ["v", "cancelled", undefined],
  ]);
  expect(await inDoubt()).toBeUndefined();
});

test("a first SIGTERM lets what runs finish, a second cancels it, a third kills what does not heed that", async () => {
  estate.define({
    s: { things: { s: { meets: 2 } } },
    s2: { needs: ["s"], things: { s2: { hangs: "until-cancel" } } },
    s3: { needs: ["s"], things: { s3: { hangs: true } } },
  });
  const first = up();
  await begun("s");
  first.child.kill("SIGTERM");
  await first.printed("what runs is finished, nothing new starts");
  estate.release();
  expect((await first.done).code).toBe(INTERRUPTED);
  expect(estate.saw().filter((line) => !line.endsWith("by-hand"))).toEqual(["Create s", "Done s"]);

  const second = up();
  await Promise.all([begun("s2"), begun("s3")]);
  second.child.kill("SIGTERM");
  await second.printed("what runs is finished, nothing new starts");
  second.child.kill("SIGTERM");
  await second.printed("[s2] cancelled");
  second.child.kill("SIGTERM");
  expect((await second.done).code).toBe(INTERRUPTED);
  expect(ends()).toEqual([
    ["s", "succeeded", undefined],
    ["s2", "cancelled", "E_CANCELLED"],
    ["s3", "cancelled", "E_CANCELLED"],
  ]);
  expect(estate.saw().filter((line) => line.startsWith("Done"))).toEqual(["Done s"]);
  expect(await inDoubt()).toBe("s3");
});

/** Stands for a worker: it writes its number, sends one message, and never ends. */
const STAND_IN = `
process.on("message", ({ task }) => {
  require("node:fs").appendFileSync(process.env.WORLD_LOG, "Create " + process.pid + "\\n");
  const step = { op: "create", urn: "urn", type: "a:b:C", name: "c", component: false, diffs: [], keys: [], values: [] };
  const said = {
    "no-list": { kind: "result", result: { ok: true, changes: {} } },
    "no-kind": [{ kind: "finished" }],
    "half-a-step": [{ kind: "step-done", step: { ...step, urn: 7 } }],
    "after-a-good-one": [{ kind: "step-done", step }, { kind: "result", result: { ok: "yes" } }],
  };
  process.send(said[task.stack]);
});
setInterval(() => undefined, 1000);
`;

test("a worker that does not speak the protocol is killed, its stack fails and is in doubt, and nothing that it said counts", async () => {
  const names = ["no-list", "no-kind", "half-a-step", "after-a-good-one"];
  estate.define(Object.fromEntries(names.map((name) => [name, {}])));
  const file = estate.file("bin/orchestrator/worker/worker.js");
  const worker = fs.readFileSync(file);
  fs.writeFileSync(file, STAND_IN);
  const { code } = await estate.homelab("refresh");
  fs.writeFileSync(file, worker);
  expect([code, ends()]).toEqual([FAILED, names.map((name) => [name, "failed", "E_WORKER"])]);
  for (const { stack, error, steps } of report().stacks)
    expect([error?.message, steps]).toEqual([expect.stringMatching(new RegExp(`^the worker of stack ${stack} does not speak the protocol: `)), []]);
  expect((await inDoubt())?.split(", ").toSorted()).toEqual(names.toSorted());
  const pids = estate.saw().map((line) => Number(line.split(" ")[1]));
  expect(pids).toHaveLength(names.length);
  await soon(() => !pids.some(isProcessAlive));
});

test("a collector of traces gets the run, and one that never answers does not hold the run up", async () => {
  estate.define({ o: { things: { o: {} } } });
  const bodies: Buffer[] = [];
  let answers = true;
  const collector = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      bodies.push(Buffer.concat(chunks));
      if (answers) response.end();
    });
  });
  await new Promise<void>((resolve) => collector.listen(0, "127.0.0.1", resolve));
  const { port } = collector.address() as AddressInfo;
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` };
  try {
    expect(await estate.start(["up", "--yes"], env).done).toMatchObject({ code: DONE, stderr: "" });
    const names = bodies.flatMap(spansOf).map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(["homelab preview", "homelab up", "stack o", "create world:index:Thing o"]));
    answers = false;
    const held = await estate.start(["refresh"], env).done;
    expect([held.code, held.stderr]).toEqual([DONE, "note: the run's trace is incomplete: the collector did not answer\n"]);
    expect(report()).toMatchObject({ operation: "refresh", ok: true });
  } finally {
    collector.closeAllConnections();
    collector.close();
  }
});

test("a damaged folder of a run is named by each command, and what that run may have left is in doubt until a run settles it", async () => {
  estate.define({ d: { things: { d: {} } } });
  expect((await up().done).code).toBe(DONE);
  const last =
    fs
      .readdirSync(estate.runs)
      .filter((name) => /^\d/.test(name))
      .toSorted()
      .at(-1) ?? "";
  fs.writeFileSync(path.join(estate.runs, last, "journal.jsonl"), '{"kind":"run-started"}\nrubbish\n{}\n');
  const damage = `${path.join(estate.runs, last)}: journal.jsonl, line 2 is not what a run writes`;
  const status = (await estate.homelab("status")).stdout;
  expect([status, status]).toEqual([expect.stringContaining(damage), expect.stringContaining("in doubt: d")]);
  const again = await up().done;
  expect([again.code, again.stderr]).toEqual([DONE, expect.stringContaining(`note: ${damage}`)]);
  expect(await inDoubt()).toBeUndefined();
});

test("where the runs' folder, or what is beside it, may not be written, nothing is started, and the error says which folder and what to do", async () => {
  estate.define({ e: { things: { e: {} } } });
  // The superuser may write everywhere.
  const uid = process.getuid?.() === 0 ? NOBODY : process.getuid?.();
  fs.chmodSync(estate.dir, 0o755);
  fs.rmSync(estate.file(".homelab"), { recursive: true, force: true });
  const refused = async (line: string[], folder: string): Promise<void> => {
    const { code, stderr } = await estate.start(line, {}, uid).done;
    expect([line, code, stderr]).toEqual([
      line,
      FAILED,
      expect.stringMatching(
        new RegExp(
          `^error: no folder for this run can be made in \\S+/.homelab/${folder}: nothing was started\n {2}because: EACCES: [^\n]*\n {2}next: .* give this user the right to write`,
        ),
      ),
    ]);
  };
  try {
    fs.mkdirSync(estate.file(".homelab"), { mode: 0o555 });
    await refused(["up", "--yes"], "run-locks");
    fs.chmodSync(estate.file(".homelab"), 0o755);
    for (const name of ["runs", "run-locks"]) fs.mkdirSync(estate.file(".homelab", name), { mode: 0o555 });
    await refused(["preview"], "runs");
    await refused(["destroy", "--yes"], "run-locks");
    fs.chmodSync(estate.file(".homelab", "run-locks"), 0o777);
    await refused(["refresh"], "runs");
    expect(estate.saw()).toEqual([]);
  } finally {
    fs.chmodSync(estate.file(".homelab"), 0o755);
    fs.rmSync(estate.file(".homelab"), { recursive: true });
  }
});

test("a change of production that nobody agreed to changes nothing, and neither does the end of one of its stacks", async () => {
  const g = { things: { g: {} } };
  estate.define({ g, p: { production: true, things: { p: {} } } });
  await estate.commit();
  const refused = await up().done;
  expect([refused.code, refused.stderr, estate.saw()]).toEqual([REFUSED, expect.stringMatching(/^ {2}p: changes production, in \d resources$/m), []]);
  expect((await up("--approve", "production").done).code).toBe(DONE);
  expect(estate.saw().toSorted()).toEqual(["Create g", "Create p", "Done g", "Done p"]);

  const world = fs.readdirSync(estate.file("world")).toSorted();
  estate.define({ g });
  fs.rmSync(estate.file("Pulumi.p.yaml"));
  await estate.commit();
  const gone = await up("--affected", "HEAD~1").done;
  expect([gone.code, gone.stderr]).toEqual([REFUSED, expect.stringContaining("p: changes production")]);
  expect(fs.readdirSync(estate.file("world")).toSorted()).toEqual(world);
  const agreed = await up("--affected", "HEAD~1", "--approve", "production").done;
  expect([agreed.code, agreed.stderr, fs.readdirSync(estate.file("world"))]).toEqual([DONE, "", expect.any(Array)]);
  expect(fs.readdirSync(estate.file("world"))).toHaveLength(world.length - 1);
});

test("a plan of another commit or of another engine is refused, and nothing is changed", async () => {
  estate.define({ q: { things: { q: {} } } });
  await estate.commit();
  const plan = estate.file("plan.json");
  expect((await estate.homelab("preview", "--plan", plan)).code).toBe(DONE);
  estate.write("tools/pulumi", `#!/bin/sh\nif [ "$1" = version ]; then echo v3.999.0; else exec ${estate.file("engine/bin/pulumi")} "$@"; fi\n`);
  fs.chmodSync(estate.file("tools/pulumi"), 0o755);
  const tools = `${estate.file("tools")}:${path.dirname(process.execPath)}:/usr/bin:/bin`;
  const engine = await estate.start(["up", "--plan", plan, "--yes"], { PATH: tools }).done;
  expect([engine.code, engine.stderr]).toEqual([REFUSED, expect.stringMatching(/was made by embedded v\S+, and the engine is pulumi v3\.999\.0/)]);
  await estate.commit();
  const commit = await up("--plan", plan).done;
  expect([commit.code, commit.stderr]).toEqual([
    REFUSED,
    expect.stringMatching(/the plan .*plan\.json is of [0-9a-f]{12}, and the checkout is at [0-9a-f]{12}\n/),
  ]);
  expect(estate.saw()).toEqual([]);
});
