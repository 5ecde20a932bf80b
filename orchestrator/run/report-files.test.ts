import type { RunReport, StackReport } from "../report/report-schema";
import { joinedReport } from "./report-files";

const stack = (name: string, fields: Partial<StackReport> = {}): StackReport => ({
  ...{ stack: name, status: "succeeded", duration: 1, offset: 0, changes: {}, steps: [], diagnostics: [], unknowns: [] },
  ...fields,
});
const report = (fields: Partial<RunReport>): RunReport => ({
  ...{ version: 1, operation: "preview", site: "lab", engine: { name: "embedded", why: "test" }, duration: 1_000, ok: true, changed: false, stacks: [] },
  ...{ startedAt: "2026-01-01T00:00:00.000Z", finishedAt: "2026-01-01T00:00:01.000Z" },
  ...fields,
});

test("a run of two parts is one report: of what is destroyed first, and of what is run", () => {
  const gone = report({ operation: "preview-destroy", changed: true, warnings: ["w"], stacks: [stack("old", { changes: { delete: 2 } })] });
  const rest = report({
    startedAt: "2026-01-01T00:00:02.000Z",
    finishedAt: "2026-01-01T00:00:05.000Z",
    duration: 3_000,
    warnings: ["w", "x"],
    stacks: [stack("dev")],
  });
  expect(joinedReport(gone, rest)).toMatchObject({
    ...{ operation: "preview", startedAt: "2026-01-01T00:00:00.000Z", finishedAt: "2026-01-01T00:00:05.000Z", duration: 4_000 },
    ...{ ok: true, changed: true, warnings: ["w", "x"], stacks: [{ stack: "old" }, { stack: "dev" }] },
  });
  expect(joinedReport(report({ ok: false }), rest).ok).toBe(false);
  expect(joinedReport(gone, report({ ok: false })).ok).toBe(false);
});
