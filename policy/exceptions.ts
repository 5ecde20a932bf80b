/** Where rules do not hold on purpose, with the namespace of each: those of modules and of applications, over all stacks. Loads no Pulumi SDK. */
import type { RuleException } from "../components/rules/rules";
import type { StackPlan } from "../stacks/plan/plan";

export interface PlacedException extends RuleException {
  /** Namespace of the workloads that it is about. */
  readonly namespace: string;
  /** Module or application that lists it. */
  readonly of: string;
}

export const exceptionsOf = ({ platform, apps }: Pick<StackPlan, "platform" | "apps">): PlacedException[] => [
  ...platform.modules.flatMap(({ name, parts, exceptions }) =>
    parts.namespaces.flatMap((namespace) => exceptions.map((exception) => ({ ...exception, namespace, of: name }))),
  ),
  ...apps.flatMap(({ name, exceptions = [] }) => exceptions.map((exception) => ({ ...exception, workload: name, namespace: name, of: name }))),
];
