/** What of a report a comment names, and what it leaves out where there is too much. */
import { COMMENT_LIMITS, renderComment } from "./comment";
import { lengthOf } from "./comment-markdown";
import { type ReportStep, type RunReport, reportSchema, type StackReport } from "./report-schema";

const stackReport = (fields: Partial<StackReport>): StackReport => ({
  ...{ stack: "dev", status: "succeeded", duration: 1_500, offset: 0, changes: {}, steps: [], diagnostics: [], unknowns: [] },
  ...fields,
});
const report = (stacks: StackReport[], fields: Partial<RunReport> = {}): RunReport => ({
  ...{ version: 1, operation: "preview", site: "lab", engine: { name: "embedded", why: "test" } },
  ...{ startedAt: "2026-01-01T00:00:00.000Z", finishedAt: "2026-01-01T00:00:02.000Z", duration: 2_000, ok: true, changed: true, stacks },
  ...fields,
});
const step = (fields: Partial<ReportStep>): ReportStep => ({
  op: "update",
  urn: "u",
  type: "a:b:C",
  name: "n",
  component: false,
  diffs: [],
  keys: [],
  ...fields,
});
const failed = (stack: string, message: string, hint?: string): StackReport =>
  stackReport({ stack, status: "failed", error: { code: "E", message, ...(hint === undefined ? {} : { hint }) } });

test("a thousand stacks are a table that says how many it leaves out", () => {
  const stacks = Array.from({ length: 1_000 }, (_, i) => stackReport({ stack: `stack-${i}`, unknowns: ["observability.someOutput"], why: "changed: a thing" }));
  const text = renderComment(report(stacks));
  const rows = text.split("\n").filter((line) => line.startsWith("| stack-")).length;
  expect(rows).toBeGreaterThan(100);
  expect(text).toContain(`\n| … ${1_000 - rows} more stacks: see the run's report |`);
  expect(lengthOf(text)).toBeLessThanOrEqual(COMMENT_LIMITS.github);
});

test.each([2, 16, 17, 18, 30, 200])("where %i stacks fail, the first have their causes, and how many have none is said", (count) => {
  for (const message of ["no route to host", "e".repeat(200_000), "line\n".repeat(40_000)]) {
    const text = renderComment(
      report(
        Array.from({ length: count }, (_, i) => failed(`stack-${i}`, message)),
        { ok: false },
      ),
    );
    const causes = text.match(/^### ✘ stack-\d+$/gm) ?? [];
    expect(causes.length).toBeGreaterThanOrEqual(Math.min(count, 10));
    expect(text.includes(`… ${count - causes.length} more stacks failed`)).toBe(causes.length < count);
    expect(lengthOf(text)).toBeLessThanOrEqual(COMMENT_LIMITS.github);
  }
});

test("what to do next stands below a failure", () => {
  expect(renderComment(report([failed("dev", "no route to host", "start the VM")], { ok: false }))).toContain(
    "### ✘ dev\n\n```\nno route to host\nnext: start the VM\n```",
  );
});

test("one that failed beside one that was cancelled is a failure", () => {
  const stacks = [failed("dev", "x"), stackReport({ stack: "stg", status: "cancelled" })];
  expect(renderComment(report(stacks, { ok: false }))).toContain("## The preview failed\n");
});

test("unknown values: three by name, and from the fourth on how many more", () => {
  const names = ["a.a", "a.b", "a.c", "a.d"];
  expect(renderComment(report([stackReport({ unknowns: names.slice(0, 3) })]))).toContain("| depends on `a.a`, `a.b`, `a.c` |");
  expect(renderComment(report([stackReport({ unknowns: names })]))).toContain("| depends on `a.a`, `a.b`, `a.c` and 1 more |");
});

test("the reason of a row is short", () => {
  expect(renderComment(report([stackReport({ why: "w".repeat(300) })]))).toMatch(/\| `w{160}` \|\n/);
});

test("a property that forces a replacement and was not there before, or is not any more, says so", () => {
  const values = [
    { path: "a", to: "1" },
    { path: "b", from: "2" },
  ];
  const text = renderComment(report([stackReport({ changes: { replace: 1 }, steps: [step({ op: "replace", keys: ["a", "b", "c"], values })] })]));
  expect(text).toContain("- **replace** `dev: a:b:C n` because of `a` (`(none)` → `1`), `b` (`2` → `(none)`), `c`\n");
});

test("what is only information is no warning", () => {
  const diagnostics = (["info", "warning"] as const).map((severity) => ({ severity, urn: "", message: `of ${severity}` }));
  expect(renderComment(report([stackReport({ diagnostics })]))).toContain("### Warnings\n\n- `dev: of warning`\n\nengine:");
});

test("stacks that come later have lines of their steps too", () => {
  const steps = Array.from({ length: 3_000 }, (_, i) => step({ op: "create", name: `resource-${i}` }));
  const text = renderComment(report(["dev", "stg", "prod"].map((stack) => stackReport({ stack, changes: { create: 3_000 }, steps }))));
  for (const stack of ["dev", "stg", "prod"]) expect(text).toContain(`<summary>${stack}: 3000 to create</summary>\n\n\`\`\`diff\n+ a:b:C resource-0\n`);
});

test.each<[string, (most: number) => RunReport, number]>([
  ["characters of a text", (most) => report([failed("dev", "x".repeat(most))]), 200_000],
  ["stacks", (most) => report(Array.from({ length: most }, () => stackReport({}))), 1_000],
  [
    "lines of diagnostics",
    (most) => report([stackReport({ diagnostics: Array.from({ length: most }, () => ({ severity: "info", urn: "", message: "" })) })]),
    20_000,
  ],
  ["steps", (most) => report([stackReport({ steps: Array.from({ length: most }, () => step({})) })]), 20_000],
  ["unknown values", (most) => report([stackReport({ unknowns: Array.from({ length: most }, () => "a") })]), 20_000],
])("a report has a bounded number of %s", (_, of, most) => {
  expect([reportSchema.safeParse(of(most)).success, reportSchema.safeParse(of(most + 1)).success]).toEqual([true, false]);
});
