import type { RunEvent, StackOutcome } from "../schedule/run";
import { StackGraph } from "../target/graph";
import type { ResourceStep } from "../worker/worker-protocol";
import { RunModel } from "./run-model";
import { treeFrame } from "./tree-frame";

const graph = new StackGraph([
  { name: "tools", needs: [], description: "" },
  { name: "observability", needs: ["tools"], description: "" },
  { name: "dev", needs: ["observability"], description: "" },
]);
const step = (op: string, type: string, name: string, component = false): ResourceStep => ({
  op,
  urn: `urn:pulumi:dev::homelab::${type}::${name}`,
  type,
  name,
  component,
  diffs: [],
  keys: [],
  values: [],
});
const outcome = (stack: string, more: Partial<StackOutcome> = {}): StackOutcome => ({
  stack,
  status: "succeeded",
  changes: {},
  startedAt: 0,
  finishedAt: 1000,
  ...more,
});

function model(events: readonly RunEvent[], backwards = false, of = graph): RunModel {
  const made = new RunModel(of, backwards);
  for (const event of events) made.apply(event);
  return made;
}
const frame = (of: RunModel, { columns = 80, rows = 24, planned = false, now = 65_000 } = {}): string[] =>
  treeFrame(of, { columns, rows }, planned, now).map(({ text }) => text);

const started: RunEvent = { kind: "run-started", at: 0, operation: "up", stacks: ["tools", "observability", "dev"] };
const begins = (at: number, stack: string, ...steps: ResourceStep[]): RunEvent[] => [
  { kind: "stack-started", at, stack },
  ...steps.map((of): RunEvent => ({ kind: "step-started", at: at + 1000, stack, step: of })),
];
const ends = (of: StackOutcome): RunEvent => ({ kind: "stack-finished", at: of.finishedAt, stack: of.stack, outcome: of });

const component = step("create", "homelab:clusters:K3s", "dev-cluster", true);
const vm = step("create", "proxmoxve:index/vmLegacy:VmLegacy", "k8s-dev-vm");
const command = step("update", "command:remote:Command", "dev-k3s-run");

test("real work comes before the components around it, with its age; without other work a component is shown", () => {
  const busy = model([started, ...begins(0, "tools", component, vm, command)]);
  expect(frame(busy)).toEqual([
    "▶ tools              1m05s  0 done, 2 under way",
    "      create VmLegacy k8s-dev-vm (64s)",
    "      update Command dev-k3s-run (64s)",
    "  · observability           waits for tools",
    "    · dev                   waits for observability",
  ]);
  busy.apply({ kind: "step-done", at: 2000, stack: "tools", step: vm });
  busy.apply({ kind: "step-done", at: 2000, stack: "tools", step: command });
  expect(frame(busy).slice(0, 2)).toEqual(["▶ tools              1m05s  2 done", "      create K3s dev-cluster (64s)"]);
});

test("more steps than there is room for are counted; steps that change nothing are not shown", () => {
  const many = Array.from({ length: 5 }, (_, i) => step("create", "kubernetes:core/v1:Secret", `s${i}`));
  expect(frame(model([started, ...begins(0, "tools", ...many, step("same", "kubernetes:core/v1:Secret", "s9"))])).slice(0, 5)).toEqual([
    "▶ tools              1m05s  0 done, 5 under way",
    "      create Secret s0 (64s)",
    "      create Secret s1 (64s)",
    "      create Secret s2 (64s)",
    "      … and 2 more",
  ]);
});

test("a destroy waits the other way round", () => {
  const destroy: RunEvent = { kind: "run-started", at: 0, operation: "destroy", stacks: ["tools", "observability", "dev"] };
  const running = model([destroy, ...begins(0, "dev", step("delete", "kubernetes:core/v1:Secret", "s"))], true);
  expect(frame(running)).toEqual([
    "    · tools                 waits for observability",
    "  · observability           waits for dev",
    "▶ dev                1m05s  0 done, 1 under way",
    "      delete Secret s (64s)",
  ]);
});

test("how stacks ended: changes, the error's code, and who is to blame", () => {
  const ended = model([
    started,
    ...begins(0, "tools"),
    ends(outcome("tools", { changes: { create: 3, delete: 1, same: 9 } })),
    ...begins(0, "observability"),
    ends(outcome("observability", { status: "failed", error: { code: "E_STACK", message: "no" } })),
    ends(outcome("dev", { status: "skipped", startedAt: undefined, blame: "observability" })),
  ]);
  expect(frame(ended)).toEqual([
    "✔ tools               1.0s  3 created, 1 deleted",
    "  ✘ observability     1.0s  E_STACK",
    "    ↷ dev                   because observability failed",
  ]);
  expect(frame(ended, { planned: true })[0]).toBe("✔ tools               1.0s  3 to create, 1 to delete");
});

test("warnings and failed steps are said once, above the tree; errors below the run", () => {
  const said = model([
    started,
    { kind: "diagnostic", at: 0, stack: "tools", severity: "warning", urn: "", message: "a warning" },
    { kind: "diagnostic", at: 0, stack: "tools", severity: "error", urn: "", message: "an error" },
    { kind: "step-failed", at: 0, stack: "tools", step: vm },
  ]);
  expect(said.takeMessages()).toEqual(["[tools] warning: a warning", "[tools] VmLegacy k8s-dev-vm FAILED to create"]);
  expect(said.takeMessages()).toEqual([]);
});

/** 30 stacks, none of which needs another. */
const names = Array.from({ length: 30 }, (_, i) => `stack-${String(i).padStart(2, "0")}`);
const wide = new StackGraph(names.map((name) => ({ name, needs: [], description: "" })));
const start30: RunEvent = { kind: "run-started", at: 0, operation: "up", stacks: names };

test("30 stacks fit 24 rows: ended and waiting stacks are folded, running and failed ones stay", () => {
  const events = [
    start30,
    ...names.slice(0, 10).map((stack) => ends(outcome(stack))),
    ...begins(0, "stack-10"),
    ends(outcome("stack-10", { status: "failed", error: { code: "E_STACK", message: "" } })),
    ...names.slice(11, 14).flatMap((stack) => begins(0, stack, vm)),
  ];
  expect(frame(model(events, false, wide), { rows: 10 })).toEqual([
    "✘ stack-10            1.0s  E_STACK",
    "▶ stack-11           1m05s  0 done, 1 under way",
    "▶ stack-12           1m05s  0 done, 1 under way",
    "▶ stack-13           1m05s  0 done, 1 under way",
    "✔ 10 stacks succeeded",
    "· 16 stacks waiting",
  ]);
  expect(frame(model(events, false, wide), { rows: 23 })).toHaveLength(21);
});

test.each([
  [80, 24],
  [20, 5],
  [10, 1],
  [1, 1],
  [200, 3],
])("no frame is larger than %i columns and %i rows, in any state", (columns, rows) => {
  const events = [start30, ...names.slice(0, 25).flatMap((stack) => begins(0, stack, vm, command, component))];
  const run = model(events, false, wide);
  for (const event of [...names.slice(0, 12).map((stack) => ends(outcome(stack))), { kind: "interrupted", at: 9, how: "finishing" } as const]) {
    const lines = frame(run, { columns, rows });
    expect(lines.length).toBeLessThanOrEqual(rows);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columns);
    run.apply(event);
  }
});

test("below the stacks is an estimate of the time left, where earlier runs allow one and the run was not interrupted", () => {
  const running = model([started, ...begins(1_000, "tools")]);
  const last = (left?: number): string | undefined => treeFrame(running, { columns: 80, rows: 24 }, false, 65_000, left).at(-1)?.text;
  expect([last(), last(20_000), last(400_000)]).toEqual([expect.stringContaining("dev"), "less than a minute left", "about 7 min left"]);
  running.apply({ kind: "interrupted", at: 66_000, how: "cancelling" });
  expect(last(400_000)).toBe("cancelling");
});
