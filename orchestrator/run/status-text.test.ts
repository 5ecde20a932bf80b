import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { ownIdentity } from "../../common/process-identity";
import { renderTable } from "../report/table";
import type { JournalLine, RunRecord } from "../store/run-records";
import { readSeenDrift, writeSeenDrift } from "../store/seen-drift";
import { StackGraph } from "../target/graph";
import { lastRuns, STATUS_HEAD, statusRow, underWayLines } from "./status-text";

const record = (operation: string, lines: JournalLine[], more: Partial<RunRecord> = {}): RunRecord => ({
  id: "1",
  dir: "/r",
  facts: undefined,
  lines: [{ kind: "run-started", operation, stacks: ["tools", "dev", "stg"] }, ...lines],
  damage: undefined,
  ...more,
});
const finished = (stack: string, status: string, at?: number): JournalLine => ({ kind: "stack-finished", stack, status, ...(at === undefined ? {} : { at }) });
const NOW = Date.parse("2026-11-30T12:00:00Z");
const HOUR = 3_600_000;

test("the last run of a stack is the last that did something with it: no preview, and none that skipped it or left it as it was", () => {
  const found = lastRuns([
    record("up", [finished("tools", "succeeded", 1), finished("dev", "failed", 2), finished("stg", "skipped")]),
    record("preview", [finished("tools", "failed", 3)]),
    record("up", [finished("tools", "unaffected", 4)]),
  ]);
  expect(Object.fromEntries(found)).toEqual({ tools: { operation: "up", status: "succeeded", at: 1 }, dev: { operation: "up", status: "failed", at: 2 } });
});

test("a row says state, last run and drift, and a table of them fits a terminal", () => {
  const state = { exists: true, resources: 123, lastUpdate: "2026-11-30T02:03:04.000Z", locked: false };
  const rows = [
    statusRow(
      { stack: "tools", state, standing: "succeeded", lastRun: { operation: "up", status: "succeeded", at: 1 }, drift: { at: NOW - 3 * HOUR, resources: 2 } },
      NOW,
    ),
    statusRow(
      {
        stack: "dev",
        state: { ...state, resources: 4 },
        standing: "failed",
        lastRun: { operation: "refresh", status: "failed", at: 1 },
        drift: { at: NOW - 72 * HOUR, resources: null },
      },
      NOW,
    ),
    statusRow({ stack: "stg", state: undefined, standing: undefined, lastRun: undefined, drift: undefined }, NOW),
    statusRow({ stack: "home", state, standing: "in doubt", lastRun: undefined, drift: { at: NOW, resources: 0, hosts: 0 } }, NOW),
    statusRow({ stack: "prod", state, standing: "succeeded", lastRun: undefined, drift: { at: NOW, resources: 0, hosts: 1 } }, NOW),
    statusRow({ stack: "sandboxy", state, standing: "succeeded", lastRun: undefined, drift: { at: NOW, resources: 2, hosts: 3 } }, NOW),
    statusRow({ stack: "observability", state, standing: "succeeded", lastRun: undefined, drift: { at: NOW, resources: 2, hosts: null } }, NOW),
  ];
  expect(rows).toEqual([
    ["tools", "built", "123", "up succeeded", "2026-11-30 02:03", "2, 3 h ago"],
    ["dev", "incomplete (failed)", "4", "refresh failed", "2026-11-30 02:03", "failed, 3 d ago"],
    ["stg", "not there", "0", "none", "never", "–"],
    ["home", "in doubt", "123", "none", "2026-11-30 02:03", "none, just now"],
    ["prod", "built", "123", "none", "2026-11-30 02:03", "1 host, just now"],
    ["sandboxy", "built", "123", "none", "2026-11-30 02:03", "2 + 3 hosts, just now"],
    ["observability", "built", "123", "none", "2026-11-30 02:03", "failed, just now"],
  ]);
  expect(renderTable(STATUS_HEAD, rows, 80).split("\n")).toHaveLength(9);
});

test("a stack whose run was cancelled is not built: it says so, whether something is there or not", () => {
  const facts = { stack: "dev", standing: "cancelled", lastRun: { operation: "up", status: "cancelled", at: 1 }, drift: undefined } as const;
  const state = { exists: true, resources: 7, lastUpdate: "2026-11-30T02:03:04.000Z", locked: false };
  expect([7, 0].map((resources) => statusRow({ ...facts, state: { ...state, resources } }, NOW).slice(1, 4))).toEqual([
    ["incomplete (cancelled)", "7", "up cancelled"],
    ["empty (cancelled)", "0", "up cancelled"],
  ]);
});

test("of a run under way: what runs, and what waits for what", () => {
  const process = ownIdentity();
  if (process === undefined) return;
  const graph = new StackGraph([
    { name: "tools", needs: [], description: "" },
    { name: "dev", needs: ["tools"], description: "" },
    { name: "stg", needs: ["tools", "dev"], description: "" },
  ]);
  const facts = { pid: 12, process, operation: "up", stacks: ["tools", "dev", "stg"] } as unknown as NonNullable<RunRecord["facts"]>;
  const of = (operation: string, lines: JournalLine[]) => underWayLines([record(operation, lines, { facts: { ...facts, operation } })], graph);
  expect(of("up", [{ kind: "stack-started", stack: "tools" }, finished("tools", "succeeded"), { kind: "stack-started", stack: "dev" }])).toEqual([
    "a run is under way: up, process 12, 1 of 3 stacks done",
    "  dev runs",
    "  stg waits for dev",
  ]);
  expect(of("destroy", [{ kind: "stack-started", stack: "stg" }])).toEqual([
    "a run is under way: destroy, process 12, 0 of 3 stacks done",
    "  tools waits for dev, stg",
    "  dev waits for stg",
    "  stg runs",
  ]);
  expect(of("up", [{ kind: "run-finished" }])).toEqual([]);
});

test("known drift stays until the stack is looked at again; a damaged file counts as none", () => {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-drift-"));
  const runs = path.join(dir, "runs");
  try {
    expect(readSeenDrift(runs).size).toBe(0);
    writeSeenDrift(runs, new Map([["tools", { at: 1, resources: 2 }]]));
    writeSeenDrift(runs, new Map([["dev", { at: 2, resources: null }]]));
    expect(Object.fromEntries(readSeenDrift(runs))).toEqual({ tools: { at: 1, resources: 2 }, dev: { at: 2, resources: null } });
    fs.writeFileSync(path.join(dir, "drift.json"), "{");
    expect(readSeenDrift(runs).size).toBe(0);
  } finally {
    fs.rmSync(dir, { recursive: true });
  }
});
