/** What Argo CD reads in Git beside the applications: their project, and the ApplicationSet that makes an Application of each. Plain data. */
import { environmentObjects, OWN_CLUSTER } from "../../components/platform/argo-cd/applications";
import type { ArgoCdOptions } from "../../components/platform/argo-cd/options";
import type { DeliveredCluster } from "../../components/platform/place";
import type { StackPlan } from "./plan";
import type { PlatformPlan } from "./platform-types";
import { manifestsFolder } from "./rendered-file";

const applicationsOf = ({ modules }: PlatformPlan): ArgoCdOptions["applications"] =>
  (modules.find(({ name }) => name === "argo-cd")?.options as ArgoCdOptions | undefined)?.applications;

/** From which repository the stack is delivered, and the address by which that Argo CD knows its cluster; undefined: none delivers to it. */
function deliveredFrom(plan: StackPlan, plans: ReadonlyMap<string, StackPlan>) {
  const own = applicationsOf(plan.platform);
  if (own !== undefined) return { options: own, server: OWN_CLUSTER };
  for (const { platform } of plans.values()) {
    const cluster = platform.place.deliversTo.find(({ stack }: DeliveredCluster) => stack === plan.stack.name);
    const options = applicationsOf(platform);
    if (cluster !== undefined && options !== undefined) return { options, server: cluster.server };
  }
  return undefined;
}

/** Texts by path from the environment's folder; none where no Argo CD delivers to it. @param plans of all stacks */
export function renderArgoCd(plan: StackPlan, plans: ReadonlyMap<string, StackPlan>): Map<string, string> {
  const { stack, apps } = plan;
  const from = deliveredFrom(plan, plans);
  if (from === undefined) return new Map();
  const delivered = apps.flatMap(({ name, delivery }) => (delivery === "argo-cd" ? [name] : []));
  const objects = environmentObjects({ environment: stack.name, apps: delivered, server: from.server, byHand: stack.production }, from.options);
  return new Map(manifestsFolder(`# Written by \`homelab render ${stack.name}\`.\n`, "argo-cd", objects));
}
