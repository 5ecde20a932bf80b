import fc from "fast-check";
import { HomelabError } from "../../common/errors";
import type { ReportStep, StackReport } from "../report/report-schema";
import { checkGround, openPlan, type PlanGround, planDifferences, planOf, sealed } from "./run-plan";

const KEY = "AGE-SECRET-KEY-1";
const ground: PlanGround = { site: "example.org", kind: "real", commit: { hash: "a".repeat(40), clean: true }, engine: "embedded 1.0.0" };
const step = (op: string, name: string, more: Partial<ReportStep> = {}): ReportStep => ({
  op,
  name,
  type: "a:b:C",
  urn: `urn:pulumi:dev::homelab::x:y:Z$a:b:C::${name}`,
  diffs: [],
  keys: [],
  ...more,
});
const report = (...steps: ReportStep[]): { stacks: StackReport[] } => ({
  stacks: [{ stack: "dev", status: "succeeded", duration: 1, offset: 0, changes: {}, steps, diagnostics: [], unknowns: [] }],
});
const plan = (...steps: ReportStep[]) => planOf(report(...steps), ground, KEY);
const update = (to: string) => step("update", "vm", { diffs: ["memory"], values: [{ path: "memory", from: "1", to }] });

test("a plan holds names and fingerprints, and no value", () => {
  const text = sealed(plan(update("canary-4096"), step("same", "quiet")), KEY);
  expect(text).toContain('"memory"');
  expect(text).not.toMatch(/canary|quiet|AGE-SECRET/);
  expect(openPlan(text, "plan.json", ["another", KEY]).facts).toEqual(plan(update("canary-4096")));
});

const refusal = (act: () => unknown): string => {
  try {
    act();
  } catch (thrown) {
    return thrown instanceof HomelabError ? `${thrown.code} ${thrown.message}` : String(thrown);
  }
  return "accepted";
};

test("what was changed anywhere is refused, and so is what is no plan or of another key", () => {
  const text = sealed(plan(update("2"), step("create", "new")), KEY);
  fc.assert(
    fc.property(fc.nat(text.length - 1), fc.constantFrom("0", "a", "x", "9", '"', " ", "}"), (at, letter) => {
      const changed = text.slice(0, at) + letter + text.slice(at + 1);
      const means = (one: string): string => JSON.stringify(JSON.parse(one));
      let same = changed === text;
      try {
        same ||= means(changed) === means(text);
      } catch {
        same = false;
      }
      expect(refusal(() => openPlan(changed, "plan.json", [KEY]))).toMatch(same ? /^accepted/ : /^E_REFUSED /);
    }),
    { numRuns: 500 },
  );
  expect(refusal(() => openPlan(text, "plan.json", ["another"]))).toBe(
    "E_REFUSED the plan plan.json was changed after it was written, or made with another age key",
  );
  for (const bad of ["", "{}", "[]", '{"version":2}']) expect(refusal(() => openPlan(bad, "plan.json", [KEY]))).toBe("E_REFUSED plan.json is no plan of a run");
});

test.each([
  [{ site: "other.org" }, "is of other.org, and this is example.org"],
  [{ kind: "lab" as const }, "is of the lab of example.org, and this is example.org"],
  [{ commit: { hash: "b".repeat(40), clean: true } }, "is of bbbbbbbbbbbb, and the checkout is at aaaaaaaaaaaa"],
  [{ commit: { hash: "a".repeat(40), clean: false } }, "is of aaaaaaaaaaaa with changes, and the checkout is at aaaaaaaaaaaa"],
  [{ commit: null }, "is of no commit, and the checkout is at aaaaaaaaaaaa"],
  [{ engine: "pulumi v3.260.0" }, "was made by pulumi v3.260.0, and the engine is embedded 1.0.0"],
])("a plan of %j is refused", (other, says) => {
  expect(refusal(() => checkGround({ ...ground, ...other }, ground, "plan.json"))).toBe(`E_REFUSED the plan plan.json ${says}`);
});

test("the difference is readable: what is new, gone or different; the order does not matter", () => {
  const planned = plan(update("2"), step("create", "a"), step("delete", "b"), step("update", "c", { diffs: ["x", "y"] }));
  expect(planDifferences(planned, plan(step("update", "c", { diffs: ["y", "x"] }), step("delete", "b"), step("create", "a"), update("2")))).toEqual([]);
  expect(planDifferences(planned, plan(update("3"), step("replace", "a"), step("update", "c", { diffs: ["x", "z"] })))).toEqual([
    "dev: - create C a: in the plan, and no longer to be done",
    "dev: - delete C b: in the plan, and no longer to be done",
    "dev: ~ update C c: also z, no longer y",
    "dev: ~ update C vm: other values of memory",
    "dev: + replace C a: not in the plan",
  ]);
  const nothing = { ...planned, stacks: [] };
  expect([planDifferences(planned, nothing), planDifferences(nothing, planned)]).toEqual([["dev: in the plan, and not in this run"], ["dev: not in the plan"]]);
});
