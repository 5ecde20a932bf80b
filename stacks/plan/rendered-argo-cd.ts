/** What Argo CD reads in Git beside the applications: their project, and the set that makes an Application of each. Plain data. */
import { stringify } from "yaml";
import { environmentObjects } from "../../components/platform/argo-cd/applications";
import type { ArgoCdOptions } from "../../components/platform/argo-cd/options";
import type { StackPlan } from "./plan";

const FOLDER = "argo-cd";

/** Texts by path from the environment's folder; none where no Argo CD delivers to it. */
export function renderArgoCd({ stack, apps, platform }: StackPlan): Map<string, string> {
  const options = platform.modules.find(({ name }) => name === "argo-cd")?.options as ArgoCdOptions | undefined;
  if (options?.applications === undefined) return new Map();
  const delivered = apps.flatMap(({ name, delivery }) => (delivery === "argo-cd" ? [name] : []));
  const objects = environmentObjects({ environment: stack.name, apps: delivered, byHand: stack.production }, options.applications);
  const header = `# Written by \`homelab render ${stack.name}\`.\n`;
  const yaml = (value: object): string => stringify(value, { lineWidth: 0, aliasDuplicateObjects: false });
  return new Map([
    [`${FOLDER}/kustomization.yaml`, header + yaml({ apiVersion: "kustomize.config.k8s.io/v1beta1", kind: "Kustomization", resources: ["manifests.yaml"] })],
    [`${FOLDER}/manifests.yaml`, header + objects.map(yaml).join("---\n")],
  ]);
}
