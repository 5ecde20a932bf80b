import fc from "fast-check";
import { COMMENT_LIMIT, COMMENT_MARKER, harmless, renderComment } from "./comment";
import type { RunReport, StackReport } from "./report";

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
const step = (op: string, name: string, keys: string[] = []) => ({ op, urn: `urn::${name}`, type: "a:b:C", name, diffs: [], keys });

test("shows a table row a stack, replacements and deletions outside the folds, the rest folded", () => {
  const text = renderComment(
    report([
      stackReport({
        changes: { create: 1, replace: 1, same: 3 },
        steps: [step("create", "one"), step("replace", "two", ["size"])],
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
| stg | 0 | 0 | 0 | 0 | 0 | skipped (dev failed) | – |

### ⚠ Replacements and deletions

- **replace** \`dev: a:b:C two\` because of \`size\`

<details><summary>dev: 1 to create, 1 to replace</summary>

\`\`\`diff
+ a:b:C one
± a:b:C two
\`\`\`
</details>

engine: embedded, in the lab, 2.0s
`);
});

test("says so when nothing changes, and when it failed", () => {
  expect(renderComment(report([stackReport({ changes: { same: 4 } })], { changed: false }))).toContain("## No changes\n");
  const failed = renderComment(report([stackReport({ status: "failed", error: { code: "E", message: "no route to host" } })], { ok: false }));
  expect(failed).toContain("## The preview failed\n");
  expect(failed).toContain("### ✘ dev\n\n```\nno route to host\n```");
});

test("stays below the limit of a comment whatever the stacks hold, and always keeps the table", () => {
  const steps = fc.array(
    fc.record({
      op: fc.constantFrom("create", "update", "replace", "delete", "same"),
      name: fc.string({ maxLength: 300 }),
      many: fc.integer({ min: 1, max: 400 }),
    }),
    { maxLength: 8 },
  );
  fc.assert(
    fc.property(fc.array(steps, { minLength: 1, maxLength: 7 }), fc.string({ maxLength: 90_000 }), (stacks, message) => {
      const text = renderComment(
        report(
          stacks.map((list, i) =>
            stackReport({
              stack: `stack-${i}`,
              steps: list.flatMap(({ op, name, many }) => Array.from({ length: many }, () => step(op, name))),
              ...(i === 0 ? { status: "failed" as const, error: { code: "E", message } } : {}),
            }),
          ),
        ),
      );
      expect(text.length).toBeLessThan(COMMENT_LIMIT);
      for (const i of stacks.keys()) expect(text).toContain(`| stack-${i} |`);
    }),
    { numRuns: 60 },
  );
});

test("text from resources cannot mention people, open HTML or end a fence", () => {
  expect(harmless("@team </details> ```\r\n")).toBe("@\u200bteam ‹/details› ʼʼʼ\n");
});
