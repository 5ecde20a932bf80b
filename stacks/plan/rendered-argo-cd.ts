/** What Argo CD reads in Git beside the applications: their project, and the ApplicationSet that makes an Application of each. Plain data. */
import { environmentObjects, OWN_CLUSTER } from "../../components/platform/argo-cd/applications";
import type { ArgoCdOptions } from "../../components/platform/argo-cd/options";
import type { DeliveredCluster } from "../../components/platform/place";
import type { Plans, StackPlan } from "./plan";
import type { PlatformPlan } from "./platform-types";
import { manifestsFolder } from "./rendered-file";

const applicationsOf = ({ modules }: PlatformPlan): ArgoCdOptions["applications"] =>
  (modules.find(({ name }) => name === "argo-cd")?.options as ArgoCdOptions | undefined)?.applications;

/** From which repository the stack is delivered, and the address by which that Argo CD knows its cluster; undefined: none delivers to it. */
function deliveredFrom({ stack, platform }: StackPlan, plans: Plans) {
  const own = applicationsOf(platform);
  if (own !== undefined) return { options: own, server: OWN_CLUSTER };
  const { from } = stack.platform["argo-cd-access"] ?? {};
  const deliverer = from === undefined ? undefined : plans.get(from)?.platform;
  const cluster = deliverer?.place.deliversTo.find((delivered: DeliveredCluster) => delivered.stack === stack.name);
  const options = deliverer === undefined ? undefined : applicationsOf(deliverer);
  return cluster === undefined || options === undefined ? undefined : { options, server: cluster.server };
}

/** Texts by path from the environment's folder; none where no Argo CD delivers to it. @param plans of all stacks */
export function renderArgoCd(plan: StackPlan, plans: Plans): Map<string, string> {
  const { stack, apps } = plan;
  const from = deliveredFrom(plan, plans);
  if (from === undefined) return new Map();
  const delivered = apps.flatMap(({ name, delivery }) => (delivery === "argo-cd" ? [name] : []));
  const objects = environmentObjects({ environment: stack.name, apps: delivered, server: from.server, byHand: stack.production }, from.options);
  return new Map(manifestsFolder(`# Written by \`homelab render ${stack.name}\`.\n`, "argo-cd", objects));
}
