import type { JournalLine, RunRecord } from "./run-records";
import { stackTimes } from "./stack-times";

const record = (operation: string, ...lines: JournalLine[]): RunRecord => ({
  id: "1",
  dir: "/runs/1",
  facts: undefined,
  lines: [{ kind: "run-started", operation }, ...lines],
  damage: undefined,
});
const ran = (stack: string, ms: number, status = "succeeded"): JournalLine[] => [
  { kind: "stack-started", stack, at: 1_000 },
  { kind: "stack-finished", stack, status, at: 1_000 + ms },
];
const times = (...records: RunRecord[]) => Object.fromEntries(stackTimes(records, "up"));

test("the median of the last three runs of the same operation that ended well", () => {
  expect(times(...[9, 50, 70, 60].map((ms) => record("up", ...ran("dev", ms))))).toEqual({ dev: 60 });
  expect(times(record("up", ...ran("dev", 40)), record("preview", ...ran("dev", 1)), record("up", ...ran("dev", 2, "failed")))).toEqual({ dev: 40 });
});

test("runs without an end, a beginning or a time, or with a clock that jumped back, do not count", () => {
  const [started, finished] = ran("dev", 10);
  if (started === undefined || finished === undefined) throw new Error("there are two lines");
  expect(times(record("up", started), record("up", finished), record("up", { ...started, at: 5_000 }, finished))).toEqual({});
  expect(times(record("up", { kind: "stack-started", stack: "dev" }, finished))).toEqual({});
});
