/** What Argo CD reads in Git beside the applications: their project, and the set that makes an Application of each. Plain data. */
import { environmentObjects } from "../../components/platform/argo-cd/applications";
import type { ArgoCdOptions } from "../../components/platform/argo-cd/options";
import type { StackPlan } from "./plan";
import { manifestsFolder } from "./rendered-file";

/** Texts by path from the environment's folder; none where no Argo CD delivers to it. */
export function renderArgoCd({ stack, apps, platform }: StackPlan): Map<string, string> {
  const options = platform.modules.find(({ name }) => name === "argo-cd")?.options as ArgoCdOptions | undefined;
  if (options?.applications === undefined) return new Map();
  const delivered = apps.flatMap(({ name, delivery }) => (delivery === "argo-cd" ? [name] : []));
  const objects = environmentObjects({ environment: stack.name, apps: delivered, byHand: stack.production }, options.applications);
  return new Map(manifestsFolder(`# Written by \`homelab render ${stack.name}\`.\n`, "argo-cd", objects));
}
