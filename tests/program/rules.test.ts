/**
 * Applies the rules for all workloads to every object of all stacks: what the programs register, and what charts render as far as the lab's
 * stand-ins do. Exceptions are declared in the module or the application, with their reasons.
 */
import type { Manifest } from "../../components/rules/manifest";
import { covers, objectViolations, releaseViolations, setViolations, type Violation, violationText } from "../../components/rules/rules";
import { exceptionsOf, type PlacedException } from "../../policy/exceptions";
import { loadEstate } from "../../stacks/load/estate";
import { planEstate } from "../../stacks/plan/plan";
import { plain } from "../support/pulumi-mocks";
import { plannedModules, renderedObjects } from "../support/rendered-stacks";
import { ownRuns } from "../support/stack-run";

const { names: STACK_NAMES, registeredBy } = ownRuns();

/** Rules that the lab's stand-ins break because they leave out parts of their charts. The charts themselves have these parts. */
const LEFT_OUT: Readonly<Record<string, readonly string[]>> = {
  "cert-manager": ["no-escalation", "capabilities", "read-only-root", "readiness", "liveness"],
  vault: ["no-escalation"],
  "external-secrets": ["readiness"],
};

type Found = Violation & { readonly namespace: string | undefined };

const found = (manifests: readonly Manifest[]): Found[] =>
  manifests.flatMap((manifest) => objectViolations(manifest).map((violation) => ({ ...violation, namespace: manifest.metadata?.namespace })));
const together = (manifests: readonly Manifest[]): Found[] =>
  setViolations(manifests).map((violation) => ({
    ...violation,
    namespace: manifests.find(({ metadata }) => metadata?.name === violation.workload)?.metadata?.namespace,
  }));

const plans = planEstate(loadEstate());
/** Whether the namespace's defaults fill in what a container leaves out. */
const isFilledIn = (stack: string, { rule, namespace }: Found): boolean =>
  rule === "resources" && plans.get(stack)?.platform.namespaces.get(namespace ?? "")?.containerDefaults !== undefined;

/** The text of an exception. It has no namespace: a module's exception holds in all its namespaces, and one that needs it suffices. */
const listed = ({ of, rule, workload = "", container = "" }: PlacedException): string =>
  [of, rule, workload, container].filter((part) => part !== "").join(" ");
const used = new Set<string>();

/** The violations without those that an exception allows. The exceptions are added to `used`. */
function unexcused(stack: string, violations: readonly Found[]): string[] {
  const plan = plans.get(stack);
  const exceptions = plan === undefined ? [] : exceptionsOf(plan);
  return violations
    .filter((violation) => {
      if (isFilledIn(stack, violation)) return false;
      const covering = exceptions.filter((exception) => exception.namespace === violation.namespace && covers(exception, violation));
      for (const exception of covering) used.add(listed(exception));
      return covering.length === 0;
    })
    .map(violationText);
}

const isLeftOut = (module: string, { rule }: Violation): boolean => LEFT_OUT[module]?.includes(rule) ?? false;

test.each(plannedModules().map(({ stack, plan, module }) => ({ stack, plan, module, name: module.name })))(
  "$stack: what the charts of $name make",
  ({ stack, plan, module }) => {
    const manifests = renderedObjects(module, plan) as Manifest[];
    const violations = [...found(manifests), ...together(manifests)];
    const excused = unexcused(stack, violations);
    const real = violations.filter((violation) => !isLeftOut(module.name, violation)).map(violationText);
    expect(excused.filter((text) => real.includes(text))).toEqual([]);
  },
);

test.each(STACK_NAMES)("what the program of %s registers", async (stack) => {
  const registered = await registeredBy(stack);
  const manifests = registered
    .filter(({ type }) => type.startsWith("kubernetes:") && type !== "kubernetes:helm.sh/v3:Release")
    .map(({ inputs }) => plain(inputs) as Manifest);
  const releases = registered
    .filter(({ type }) => type === "kubernetes:helm.sh/v3:Release")
    .map(({ name, inputs }) => releaseViolations(name, plain(inputs["values"])));
  expect(manifests.length).toBeGreaterThan(10);
  expect(unexcused(stack, [...found(manifests), ...together(manifests)])).toEqual([]);
  expect(releases.flat().map(violationText)).toEqual([]);
});

test("each exception is one that something needs", () => {
  const all = [...plans.values()].flatMap(exceptionsOf).map(listed);
  expect(all.length).toBeGreaterThan(10);
  expect(all.filter((exception) => !used.has(exception))).toEqual([]);
});
