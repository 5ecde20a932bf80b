import fc from "fast-check";
import { COMMENT_LIMITS, COMMENT_MARKER, renderComment, renderNoReport } from "./comment";
import { harmless } from "./comment-markdown";
import { type ReportStep, type RunReport, reportSchema, type StackReport } from "./report-schema";

const stackReport = (fields: Partial<StackReport>): StackReport => ({
  stack: "dev",
  status: "succeeded",
  duration: 1_500,
  offset: 0,
  changes: {},
  steps: [],
  diagnostics: [],
  unknowns: [],
  ...fields,
});
const report = (stacks: StackReport[], fields: Partial<RunReport> = {}): RunReport => ({
  version: 1,
  operation: "preview",
  site: "lab",
  engine: { name: "embedded", why: "test" },
  startedAt: "2026-01-01T00:00:00.000Z",
  finishedAt: "2026-01-01T00:00:02.000Z",
  duration: 2_000,
  ok: true,
  changed: true,
  stacks,
  ...fields,
});
const step = (op: string, name: string, fields: Partial<ReportStep> = {}): ReportStep => ({
  ...{ op, urn: `urn::${name}`, type: "a:b:C", name, component: false, diffs: [], keys: [], values: [] },
  ...fields,
});

test("shows a table row a stack, replacements and deletions outside the folds, the rest folded", () => {
  const text = renderComment(
    report([
      stackReport({
        changes: { create: 1, replace: 1, same: 3 },
        steps: [
          step("create", "one"),
          step("replace", "two", { keys: ["size"], values: [{ path: "size", from: "1", to: "2" }] }),
          step("create", "around", { component: true }),
        ],
        unknowns: ["tools.vaultToken"],
      }),
      stackReport({ stack: "stg", status: "skipped", duration: null, offset: null, blame: "dev" }),
    ]),
  );
  expect(text).toBe(`${COMMENT_MARKER}
## This changes the homelab

| stack | create | update | replace | delete | same | preview | time |
|---|--:|--:|--:|--:|--:|---|--:|
| dev | 1 | 0 | **1** | 0 | 3 | depends on \`tools.vaultToken\` | 1.5s |
| stg | 0 | 0 | 0 | 0 | 0 | skipped (\`dev\` failed) | – |

### ⚠ Replacements and deletions

- **replace** \`dev: a:b:C two\` because of \`size\` (\`1\` → \`2\`)

<details><summary>dev: 1 to create, 1 to replace</summary>

\`\`\`diff
+ a:b:C one
± a:b:C two
    size: 1 → 2
\`\`\`

</details>

engine: embedded, in the lab, 2.0s
`);
});

test("a stack without a change has no fold, and those after it have theirs", () => {
  const changed = { changes: { create: 1 }, steps: [step("create", "one")] };
  const text = renderComment(report([stackReport(changed), stackReport({ stack: "stg" }), stackReport({ stack: "prod", ...changed })]));
  expect(text.match(/<summary>.*<\/summary>/g)).toEqual(["dev", "prod"].map((stack) => `<summary>${stack}: 1 to create</summary>`));
});

test("the table says why a stack is included, where the run chose its stacks by what changed", () => {
  const text = renderComment(report([stackReport({ why: "changed: vm k8s-dev | x" }), stackReport({ stack: "old" })]));
  expect(text).toContain(`| stack | create | update | replace | delete | same | preview | time | why |
|---|--:|--:|--:|--:|--:|---|--:|---|
| dev | 0 | 0 | 0 | 0 | 0 | complete | 1.5s | \`changed: vm k8s-dev ¦ x\` |
| old | 0 | 0 | 0 | 0 | 0 | complete | 1.5s | – |
`);
  expect(renderComment(report([], { changed: false }))).toContain("## No changes\n\nNo stack is built from anything that was changed.\n");
});

test.each([
  ["preview", "This changes the homelab", "The preview failed", "1 to update"],
  ["up", "The homelab was changed", "The up failed", "1 updated"],
  ["destroy", "This was destroyed", "The destroy failed", "1 updated"],
] as const)("an %s says %s, or %s", (operation, done, failed, steps) => {
  const changed = [stackReport({ changes: { update: 1 }, steps: [step("update", "one")] })];
  expect(renderComment(report(changed, { operation }))).toMatch(new RegExp(`## ${done}\\n[^]*<summary>dev: ${steps}</summary>`));
  expect(renderComment(report(changed, { operation, ok: false }))).toContain(`## ${failed}\n`);
});

test("the comment of a run that ended before it had a report names the operation, and says whether a gate refused it", () => {
  expect(renderNoReport("error: no")).toContain("## The preview failed\n\nIt ended before the first stack.\n\n```\nerror: no\n```");
  expect(renderNoReport("dev: ~ update VmLegacy dev-vm: other values of memory", { operation: "up", how: "refused" })).toContain("## The up was refused\n");
  expect(renderNoReport("", { how: "cancelled" })).toContain("## The preview was cancelled\n");
});

test("says so when nothing changes, and when it failed", () => {
  expect(renderComment(report([stackReport({ changes: { same: 4 } })], { changed: false }))).toContain("## No changes\n");
  const failed = renderComment(report([stackReport({ status: "failed", error: { code: "E", message: "no route to host" } })], { ok: false }));
  expect(failed).toContain("## The preview failed\n");
  expect(failed).toContain("### ✘ dev\n\n```\nno route to host\n```");
});

test("the heaviest loss stands first: a VM with its disks, before what the cluster makes again", () => {
  const steps = [
    step("delete", "web", { type: "kubernetes:core/v1:Service" }),
    step("delete", "data", { type: "kubernetes:core/v1:Namespace" }),
    step("delete", "k8s-dev-vm", { type: "proxmoxve:index/vmLegacy:VmLegacy" }),
    step("delete", "whole", { type: "homelab:hosts:Vm", component: true }),
  ];
  const text = renderComment(report([stackReport({ changes: { delete: 4 }, steps })]));
  expect(text).toContain(`### ⚠ Replacements and deletions

- **delete of a VM, with its disks** \`dev: proxmoxve:index/vmLegacy:VmLegacy k8s-dev-vm\`
- **delete** \`dev: kubernetes:core/v1:Namespace data\`
- **delete** \`dev: kubernetes:core/v1:Service web\`
`);
  expect(text).not.toContain("homelab:hosts:Vm whole");
});

test("a restart of a VM and a host that is overcommitted are said outside the folds, each once", () => {
  const warning = (message: string) => ({ severity: "warning" as const, urn: "", message });
  const text = renderComment(
    report(
      [
        stackReport({
          diagnostics: [warning("a field is deprecated"), warning("VM 112 will be restarted: memory"), warning("VM 112 will be restarted: memory")],
        }),
      ],
      {
        warnings: ["node03: 22 virtual processors on 16 threads"],
      },
    ),
  );
  expect(text).toContain(`### Warnings

- \`dev: VM 112 will be restarted: memory\`
- \`node03: 22 virtual processors on 16 threads\`
- \`dev: a field is deprecated\`
`);
});

/** Fences and folds that are open at the end, in the order in which Markdown sees them. */
function openBlocks(text: string): string[] {
  const open: string[] = [];
  for (const line of text.split("\n")) {
    if (open.at(-1) === "fence") {
      if (line === "```") open.pop();
    } else if (line.startsWith("```")) open.push("fence");
    else if (line.startsWith("<details>")) open.push("fold");
    else if (line.startsWith("</details>")) expect(open.pop()).toBe("fold");
  }
  return open;
}

/** Very long and hostile text. */
const said = fc.oneof(
  fc.string({ maxLength: 20_000 }),
  fc.constantFrom("```\n</details>\n@everyone | <img src=x>", "~~~\n# title", "\u202eevil", "line of an error\n".repeat(3_000), "`".repeat(2_000)),
);

test("whatever a report holds, the comment is below the limit, keeps its table, and closes what it opens", () => {
  const aStep = fc.record({
    op: fc.constantFrom("create", "update", "replace", "delete", "same"),
    name: said,
    many: fc.integer({ min: 1, max: 100 }),
    value: said,
  });
  const aStack = fc.record({
    steps: fc.array(aStep, { maxLength: 5 }),
    error: fc.option(said),
    hint: fc.option(said),
    unknowns: fc.integer({ min: 0, max: 3_000 }),
    warnings: fc.array(said, { maxLength: 4 }),
    blame: fc.option(said),
  });
  fc.assert(
    fc.property(fc.array(aStack, { minLength: 1, maxLength: 12 }), fc.array(said, { maxLength: 3 }), (stacks, warnings) => {
      const text = renderComment(
        report(
          stacks.map(({ steps, error, hint, unknowns, warnings: own, blame }, i) =>
            stackReport({
              stack: `stack-${i}`,
              steps: steps.flatMap(({ op, name, many, value }) =>
                Array.from({ length: many }, () => step(op, name, { keys: [value], values: [{ path: name, from: value, to: value }] })),
              ),
              unknowns: Array.from({ length: unknowns }, (_, n) => `observability.someOutputName${n}`),
              diagnostics: own.map((message) => ({ severity: "warning" as const, urn: "", message })),
              ...(blame === null ? {} : { status: "skipped" as const, blame }),
              ...(error === null ? {} : { status: "failed" as const, error: { code: "E", message: error, ...(hint === null ? {} : { hint }) } }),
            }),
          ),
          { warnings },
        ),
      );
      expect([...text].length).toBeLessThanOrEqual(COMMENT_LIMITS.github);
      for (const i of stacks.keys()) expect(text).toContain(`| stack-${i} |`);
      expect(openBlocks(text)).toEqual([]);
      expect(text.split("\n").filter((line) => !/^<\/?details>|^<!-- homelab/.test(line) && /<[a-z!/]/i.test(line))).toEqual([]);
      expect(text).not.toMatch(/@[a-z]|\u202e/i);
    }),
    { numRuns: 40 },
  );
});

test("very long errors each have their lines, and say how many are left out", () => {
  const message = Array.from({ length: 2_000 }, (_, i) => `line ${i} of an error of the engine`).join("\n");
  const failed = ["dev", "stg"].map((stack) => stackReport({ stack, status: "failed", error: { code: "E", message } }));
  const text = renderComment(report(failed, { ok: false }));
  for (const stack of ["dev", "stg"]) expect(text).toContain(`### ✘ ${stack}\n\n\`\`\`\nline 0 of an error`);
  expect(text).toMatch(/… 1992 more lines/);
  expect(openBlocks(text)).toEqual([]);
});

test("three thousand unknown values are three names and a number", () => {
  const unknowns = Array.from({ length: 3_000 }, (_, i) => `observability.out${i}`);
  expect(renderComment(report([stackReport({ unknowns })]))).toContain(
    "depends on `observability.out0`, `observability.out1`, `observability.out2` and 2997 more |",
  );
});

test("text from resources cannot mention people, open HTML, end a fence or a cell, or hide", () => {
  expect(harmless("@team </details> ``` | \u202e\r\n")).toBe("@\u200bteam ‹/details› ʼʼʼ ¦ \n");
});

test("a report is read back only as what it is", () => {
  const good = report([stackReport({ steps: [step("create", "one")] })]);
  expect(reportSchema.parse(JSON.parse(JSON.stringify(good)))).toEqual(good);
  for (const bad of [
    { ...good, version: 9 },
    { ...good, operation: "rm" },
    { ...good, stacks: [stackReport({ stack: "a | b" })] },
    { ...good, extra: undefined, stacks: {} },
  ])
    expect(reportSchema.safeParse(bad).success).toBe(false);
});
