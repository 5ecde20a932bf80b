/**
 * The rules for all workloads as a policy pack of Pulumi, for either engine: `pulumi preview --policy-pack policy`. It judges what a
 * program registers. Objects that charts render are judged by `tests/program/rules.test.ts`, since an engine sees only a release's values.
 */
import { PolicyPack, type ReportViolation, type ResourceValidationArgs, type StackValidationArgs } from "@pulumi/policy";
import type { Manifest } from "../components/rules/manifest";
import { covers, objectViolations, RULE_NAMES, RULES, type RuleName, releaseViolations, setViolations, type Violation } from "../components/rules/rules";
import { loadEstate } from "../stacks/load/estate";
import { planEstate } from "../stacks/plan/plan";
import { exceptionsOf, type PlacedException } from "./exceptions";

const RELEASE = "kubernetes:helm.sh/v3:Release";
const isKubernetes = (type: string): boolean => type.startsWith("kubernetes:") && type !== RELEASE;

const exceptions: readonly PlacedException[] = [...planEstate(loadEstate()).values()].flatMap(exceptionsOf);

const isExcepted = (violation: Violation, namespace: string | undefined): boolean =>
  exceptions.some((exception) => exception.namespace === namespace && covers(exception, violation));

/** Violations of one rule by one resource. */
function ofResource(rule: RuleName, { type, name, props }: Pick<ResourceValidationArgs, "type" | "name" | "props">): Violation[] {
  const found = type === RELEASE ? releaseViolations(name, props["values"]) : isKubernetes(type) ? objectViolations(props as Manifest) : [];
  return found.filter((violation) => violation.rule === rule);
}

const namespaceOf = ({ type, props }: Pick<ResourceValidationArgs, "type" | "props">): string | undefined =>
  type === RELEASE ? props["namespace"] : (props as Manifest).metadata?.namespace;

const textOf = ({ workload, container, found }: Violation): string => `${workload}${container === "" ? "" : `, container ${container}`}: ${found}`;

const resourcePolicy = (rule: RuleName) => ({
  name: rule,
  description: `${RULES[rule]}.`,
  enforcementLevel: "mandatory" as const,
  validateResource: (args: ResourceValidationArgs, report: ReportViolation): void => {
    for (const violation of ofResource(rule, args)) if (!isExcepted(violation, namespaceOf(args))) report(textOf(violation));
  },
});

/** Rules about several objects together: only a policy of the stack sees them all. */
const stackPolicy = (rule: RuleName) => ({
  name: rule,
  description: `${RULES[rule]}.`,
  enforcementLevel: "mandatory" as const,
  validateStack: ({ resources }: StackValidationArgs, report: ReportViolation): void => {
    const manifests = resources.filter(({ type }) => isKubernetes(type)).map(({ props }) => props as Manifest);
    for (const violation of setViolations(manifests)) {
      const owner = manifests.find(({ metadata }) => metadata?.name === violation.workload);
      if (!isExcepted(violation, owner?.metadata?.namespace)) report(textOf(violation));
    }
  },
});

const OF_THE_STACK: readonly RuleName[] = ["disruption-budget"];

new PolicyPack("homelab", { policies: RULE_NAMES.map((rule) => (OF_THE_STACK.includes(rule) ? stackPolicy(rule) : resourcePolicy(rule))) });
