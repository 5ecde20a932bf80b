/**
 * The applications of an environment as files: plain manifests in a fixed order and form, for Git, `kubectl kustomize` and Argo CD. They
 * are the objects that the program registers, with Argo CD's annotations. Plain data; loads no Pulumi SDK.
 */
import { HomelabError } from "../../common/errors";
import { appManifests, withValues } from "../../components/apps/app-manifests";
import { argoCdManifest } from "../../components/apps/argo-cd-manifest";
import { issuerName } from "../../components/platform/cert-manager/issuers";
import type { FromStack } from "../define/app";
import type { Plans, StackPlan } from "./plan";
import type { PlannedApp } from "./planned-app";
import { kustomization, manifestsFolder } from "./rendered-file";

/** The value of a reference, by the plans. @throws HomelabError E_RENDER for one that the plans do not have */
function knownValue(reference: FromStack, plans: Plans, of: string): string {
  const source = plans.get(reference.from);
  if ("image" in reference) {
    const app = source?.apps.find(({ name }) => name === reference.image);
    if (app !== undefined) return imageOf(app, plans);
  } else {
    const app = source?.apps.find(({ outputs }) => outputs[reference.output] !== undefined);
    const port = app?.spec.ports.find(({ name }) => name === app.outputs[reference.output]?.url);
    if (port?.host !== undefined) return `https://${port.host}`;
  }
  const what = "image" in reference ? `the image of ${reference.image}` : reference.output;
  throw new HomelabError("E_RENDER", `${of} takes ${what} of ${reference.from}, which is known only once ${reference.from} is up`, {
    subject: of,
    hint: "write the value itself into site/apps, or let the program deliver the application",
  });
}

/** Its image, whichever stack names it. */
export function imageOf({ name, spec, references }: PlannedApp, plans: Plans): string {
  const reference = references.get(spec.image);
  return reference === undefined ? spec.image : knownValue(reference, plans, name);
}

/** The objects of one application, each with the annotations by which Argo CD orders them. @throws HomelabError E_RENDER */
function renderedApp(planned: PlannedApp, { platform }: StackPlan, plans: Plans): object[] {
  const values = new Map([...planned.references].map(([text, reference]) => [text, knownValue(reference, plans, planned.name)]));
  const { routes } = platform.place;
  const issuer = issuerName(platform.modules.find(({ name }) => name === "cert-manager")?.options) ?? "none";
  return appManifests(planned.spec, { namespace: planned.name, routes, issuer }).map((staged) => argoCdManifest(withValues(staged, values) as typeof staged));
}

/**
 * @returns texts by path from the environment's folder, in order
 * @throws HomelabError E_RENDER for a value that only a stack that is up knows
 */
export function renderApps(plan: StackPlan, plans: Plans): Map<string, string> {
  const header = `# Written by \`homelab render ${plan.stack.name}\`; its source is in site/apps.\n`;
  const apps = plan.apps.map(({ name }) => name);
  const files: [string, string][] = [
    ...plan.apps.flatMap((app) => manifestsFolder(header, app.name, renderedApp(app, plan, plans))),
    ["kustomization.yaml", kustomization(header, apps)],
  ];
  return new Map(files.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
