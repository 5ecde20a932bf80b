/** What is printed for a terminal of 20 or 40 columns. Help: orchestrator/cli/arguments.test.ts; the tree: orchestrator/ui/tree-frame.test.ts. */
import { survivalTable } from "../../orchestrator/rehearse/survival-table";
import { renderTable, TABLE_HEAD } from "../../orchestrator/report/table";
import { STATUS_HEAD } from "../../orchestrator/run/status-text";

const STACKS = ["tools", "observability", "a-stack-with-quite-a-long-name-of-its-own"];
const RUN = STACKS.map((stack) => [stack, "succeeded", "120", "0", "0", "0", "1204", "12m 41s"]);
const STATUS = STACKS.map((stack) => [stack, "incomplete (cancelled)", "1204", "destroy cancelled", "2026-11-30 02:00", "none, just now"]);
const words = (text: string): string[] => text.split(/[\s,]+/).filter((word) => word !== "");
const widest = (text: string): number => Math.max(...text.split("\n").map((line) => line.length));

test.each([20, 40, 79])("on a terminal of %i columns no table is wider, and every cell is there", (columns) => {
  for (const [head, rows] of [
    [TABLE_HEAD, RUN],
    [STATUS_HEAD, STATUS],
  ] as const) {
    const text = renderTable(head, rows, columns);
    // A name that is wider than the terminal stays whole; the terminal breaks it.
    expect(Math.max(...text.split("\n").map((line) => (line.trim().includes(" ") ? line.length : 0)))).toBeLessThanOrEqual(columns);
    if (columns === 79) continue;
    expect(words(text)).toEqual(expect.arrayContaining(rows.flat().flatMap((cell) => words(cell))));
  }
});

test("what has no room as a table is a paragraph for each row", () => {
  expect(renderTable(TABLE_HEAD, RUN.slice(0, 1), 40)).toBe(`tools
  status succeeded, create 120,
  update 0, replace 0, delete 0,
  same 1204, time 12m 41s`);
  expect(renderTable(["host", "stack", "state"], [["dns", "tools", "ok"]], 20)).toBe("host  stack  state\n────  ─────  ─────\ndns   tools     ok");
});

test("faults on a narrow terminal are told whole", () => {
  const fault = {
    fault: "proxmox.clone-lock-timeout",
    after: 0,
    parameters: {},
    stacks: ["tools"],
    verdict: "survived" as const,
    why: "after 1 retry of a stack",
    seconds: 3,
  };
  expect(survivalTable([fault], 1, 40)).toBe(`proxmox.clone-lock-timeout
  verdict survived,
  why after 1 retry of a stack
1 fault with seed 1: 1 survived`);
  expect(widest(survivalTable([fault], 1, 80))).toBeLessThanOrEqual(80);
});
