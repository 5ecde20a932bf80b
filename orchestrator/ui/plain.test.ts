import { eventSchema, printed } from "../schedule/event-schema";
import type { RunEvent, StackOutcome } from "../schedule/run";
import { StackGraph } from "../target/graph";
import type { ResourceStep } from "../worker/worker-protocol";
import type { CiHost } from "./ci-groups";
import { JsonDisplay } from "./display";
import { PlainDisplay, QUIET } from "./plain";

const graph = new StackGraph([
  { name: "tools", needs: [], description: "" },
  { name: "observability", needs: ["tools"], description: "" },
  { name: "dev", needs: ["observability"], description: "" },
]);
const step = (op: string, name: string): ResourceStep => ({ op, urn: `urn:${name}`, type: "a:b:Vm", name, component: false, diffs: [], keys: [], values: [] });
const outcome = (stack: string, from: number, to: number, more: Partial<StackOutcome> = {}): StackOutcome => ({
  stack,
  status: "succeeded",
  changes: { create: 1 },
  startedAt: from,
  finishedAt: to,
  outputs: { address: { value: "canary", secret: true } },
  ...more,
});
const ends = (of: StackOutcome): RunEvent => ({ kind: "stack-finished", at: of.finishedAt, stack: of.stack, outcome: of });
const EVENTS: RunEvent[] = [
  { kind: "run-started", at: 0, operation: "up", stacks: ["tools", "observability", "dev"] },
  { kind: "stack-started", at: 1_000, stack: "tools" },
  { kind: "step-started", at: 2_000, stack: "tools", step: step("create", "dns") },
  { kind: "progress", at: 2_500, stack: "tools", urn: "urn:dns", message: "clones" },
  { kind: "step-done", at: 3_000, stack: "tools", step: step("create", "dns") },
  ends(outcome("tools", 1_000, 4_000)),
  { kind: "stack-started", at: 4_000, stack: "observability" },
  { kind: "step-failed", at: 5_000, stack: "observability", step: step("create", "graphs") },
  { kind: "diagnostic", at: 5_000, stack: "observability", severity: "warning", urn: "", message: "slow\n::error::not a command" },
  ends(outcome("observability", 4_000, 6_000, { status: "failed", changes: {}, error: { code: "E_STACK_FAILED", message: "no" } })),
  ends({ stack: "dev", status: "skipped", changes: {}, startedAt: undefined, finishedAt: 6_000, blame: "observability" }),
  { kind: "run-finished", at: 6_000, ok: false },
];

function shown(events: readonly RunEvent[], host?: CiHost, times: [string, number][] = []) {
  const lines: string[] = [];
  let now = 0;
  const display = new PlainDisplay((text) => void lines.push(...text.split("\n").slice(0, -1)), {
    ...{ graph, backwards: false, planned: false, now: () => now, times: new Map(times), host },
  });
  for (const event of events) {
    now = event.at;
    display.event(event);
  }
  const later = (ms: number): void => {
    now = ms;
    display.keepAlive();
  };
  return { lines, display, later };
}

test("each event is a line, as it comes", () => {
  const { lines, display } = shown(EVENTS);
  display.close();
  expect(lines).toEqual([
    "up: tools, observability, dev",
    "[tools] started",
    "[tools] a:b:Vm dns created",
    "[tools] succeeded in 3.0s: 1 created",
    "[observability] started",
    "[observability] a:b:Vm graphs FAILED to create",
    "[observability] warning: slow",
    "[observability]   ::error::not a command",
    "[observability] failed in 2.0s: E_STACK_FAILED",
    "[dev] skipped: because observability failed",
  ]);
});

test("GitHub folds a stack once it has ended; what failed is not folded, and no line of it is a command", () => {
  const { lines, display } = shown(EVENTS, "github");
  display.close();
  expect(lines).toEqual([
    "up: tools, observability, dev",
    "[tools] started",
    "::group::[tools] succeeded in 3.0s: 1 created",
    "[tools] a:b:Vm dns created",
    "::endgroup::",
    "[observability] started",
    "[observability] a:b:Vm graphs FAILED to create",
    "[observability] warning: slow",
    "[observability]   ::error::not a command",
    "[observability] failed in 2.0s: E_STACK_FAILED",
    "[dev] skipped: because observability failed",
  ]);
});

test("GitLab's sections have a name and the times of the stack", () => {
  const { lines, display } = shown(EVENTS.slice(0, 6), "gitlab");
  display.close();
  expect(lines.slice(2)).toEqual([
    "\x1b[0Ksection_start:1:homelab_tools[collapsed=true]\r\x1b[0K[tools] succeeded in 3.0s: 1 created",
    "[tools] a:b:Vm dns created",
    "\x1b[0Ksection_end:4:homelab_tools\r\x1b[0K",
  ]);
});

test("stacks that run at once are not mixed, and a run that breaks loses no line of those that never ended", () => {
  const both: RunEvent[] = [
    { kind: "run-started", at: 0, operation: "destroy", stacks: ["tools", "dev"] },
    { kind: "stack-started", at: 0, stack: "tools" },
    { kind: "stack-started", at: 0, stack: "dev" },
    { kind: "step-done", at: 1, stack: "tools", step: step("create", "a") },
    { kind: "step-done", at: 2, stack: "dev", step: step("create", "b") },
    { kind: "step-done", at: 3, stack: "tools", step: step("create", "c") },
  ];
  const { lines, display } = shown(both, "github");
  expect(lines).toHaveLength(3);
  display.close();
  expect(lines.slice(3)).toEqual(["[tools] a:b:Vm a created", "[tools] a:b:Vm c created", "[dev] a:b:Vm b created"]);
});

test("a run that says nothing for a minute says what is under way, since when, and about how long it takes by earlier runs", () => {
  const times: [string, number][] = [
    ["tools", 300_000],
    ["observability", 60_000],
  ];
  const { lines, display, later } = shown(EVENTS.slice(0, 4), "github", times);
  const before = lines.length;
  later(2_500 + QUIET - 10_000);
  expect(lines).toHaveLength(before);
  later(121_000);
  later(125_000);
  // 180 s of tools are left, then observability, then dev, which counts as the mean of the two.
  expect(lines.slice(before)).toEqual(["after 2m01s: tools (0 done, create Vm dns for 1m59s); about 7 min left"]);
  display.close();
});

test("without a history no time is promised, and where nothing runs nothing is said", () => {
  const { lines, display, later } = shown(EVENTS.slice(0, 2));
  later(120_000);
  expect(lines.at(-1)).toBe("after 2m00s: tools (0 done)");
  display.close();
  const over = shown(EVENTS);
  const before = over.lines.length;
  over.later(1_000_000);
  expect(over.lines).toHaveLength(before);
  over.display.close();
});

test("every event of --json is of the published form, and none has an output", () => {
  const all: RunEvent[] = [
    ...EVENTS,
    { kind: "stack-retrying", at: 1, stack: "dev", retry: { attempt: 1, class: "busy", message: "locked", delay: 10 } },
    { kind: "interrupted", at: 1, how: "finishing" },
    { kind: "timed-out", at: 1, after: 60_000 },
  ];
  const lines: string[] = [];
  const display = new JsonDisplay((text) => void lines.push(text));
  for (const event of all) display.event(event);
  display.close();
  expect(lines.join("")).not.toContain("canary");
  expect(lines.map((line) => eventSchema.parse(JSON.parse(line)).kind)).toEqual(all.map(({ kind }) => kind));
  expect(JSON.parse(lines[0] ?? "")).toMatchObject({ kind: "run-started", version: 1 });
  expect(all.map(printed)).toHaveLength(all.length);
});
