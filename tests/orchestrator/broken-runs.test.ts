/** What a run does by the command line where a worker, a collector or its own folders fail, and where nobody agreed to it. Judged as in small-runs.test.ts. */
import * as fs from "node:fs";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import * as path from "node:path";
import { isProcessAlive } from "../../common/processes";
import { spansOf } from "../support/otlp-spans";
import { SmallEstate, soon } from "../support/small-estate";

jest.setTimeout(240_000);

/** The user of that name on most systems. */
const NOBODY = 65_534;
const [DONE, FAILED, REFUSED] = [0, 1, 4];

let estate: SmallEstate;
beforeAll(() => {
  estate = new SmallEstate({});
});
afterEach(() => estate.kill());
afterAll(() => estate.close());

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
  expect([code, estate.ends()]).toEqual([FAILED, names.map((name) => [name, "failed", "E_WORKER"])]);
  for (const { stack, error, steps } of estate.report().stacks)
    expect([error?.message, steps]).toEqual([expect.stringMatching(new RegExp(`^the worker of stack ${stack} does not speak the protocol: `)), []]);
  expect((await estate.inDoubt())?.split(", ").toSorted()).toEqual(names.toSorted());
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
    // Of our time limit and those of the SDK, each may be the first to end.
    const note = /^note: the run's trace is incomplete: (the collector did not answer|.*Timeout)\n$/i;
    expect([held.code, held.stderr]).toEqual([DONE, expect.stringMatching(note)]);
    expect(estate.report()).toMatchObject({ operation: "refresh", ok: true });
  } finally {
    collector.closeAllConnections();
    collector.close();
  }
});

test("a damaged folder of a run is named by each command, and what that run may have left is in doubt until a run settles it", async () => {
  estate.define({ d: { things: { d: {} } } });
  expect((await estate.up().done).code).toBe(DONE);
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
  const again = await estate.up().done;
  expect([again.code, again.stderr]).toEqual([DONE, expect.stringContaining(`note: ${damage}`)]);
  expect(await estate.inDoubt()).toBeUndefined();
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
  const refused = await estate.up().done;
  expect([refused.code, refused.stderr, estate.saw()]).toEqual([REFUSED, expect.stringMatching(/^ {2}p: changes production, in \d resources$/m), []]);
  expect((await estate.up("--approve", "production").done).code).toBe(DONE);
  expect(estate.saw().toSorted()).toEqual(["Create g", "Create p", "Done g", "Done p"]);

  const world = fs.readdirSync(estate.file("world")).toSorted();
  estate.define({ g });
  fs.rmSync(estate.file("Pulumi.p.yaml"));
  await estate.commit();
  const gone = await estate.up("--affected", "HEAD~1").done;
  expect([gone.code, gone.stderr]).toEqual([REFUSED, expect.stringContaining("p: changes production")]);
  expect(fs.readdirSync(estate.file("world")).toSorted()).toEqual(world);
  const agreed = await estate.up("--affected", "HEAD~1", "--approve", "production").done;
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
  const commit = await estate.up("--plan", plan).done;
  expect([commit.code, commit.stderr]).toEqual([
    REFUSED,
    expect.stringMatching(/the plan .*plan\.json is of [0-9a-f]{12}, and the checkout is at [0-9a-f]{12}\n/),
  ]);
  expect(estate.saw()).toEqual([]);
});
