/** The objects that the charts of all stacks render from the modules' values, as far as the lab's stand-ins render them. */
import { findChart, renderChart } from "../../lab/artefacts/charts";
import { loadEstate } from "../../stacks/load/estate";
import { planEstate, type StackPlan } from "../../stacks/plan/plan";
import type { PlannedModule } from "../../stacks/plan/platform-types";

export type Rendered = Record<string, unknown>;

/** All objects of a module's charts, including those of hooks. */
export function renderedObjects({ charts, parts }: Pick<PlannedModule, "charts" | "parts">, { platform }: Pick<StackPlan, "platform">): Rendered[] {
  return Object.entries(charts).flatMap(([release, { repository, name, version }]) => {
    const chart = findChart(repository, name, version);
    if (chart === undefined) throw new Error(`the lab has no stand-in for ${name} ${version}`);
    const values = { ...parts.values[release] };
    const { manifests, hooks } = renderChart(chart, { name: release, namespace: parts.namespaces[0] ?? "", values, kubeVersion: platform.cluster.version });
    return [...manifests, ...hooks.map(({ manifest }) => manifest)];
  });
}

/** The planned modules of all stacks. */
export const plannedModules = (): { stack: string; plan: StackPlan; module: PlannedModule }[] =>
  [...planEstate(loadEstate())].flatMap(([stack, plan]) => plan.platform.modules.map((module) => ({ stack, plan, module })));
