/** The applications of a stack with its settings, and what they take from other stacks. Plain data. */
import { HomelabError } from "../../common/errors";
import { nearest } from "../../common/nearest";
import type { AppPort } from "../../components/apps/app-spec";
import type { App, FromStack } from "../define/app";
import type { Estate } from "../load/estate";
import type { StackConfig } from "../load/settings";
import { stackPlace } from "../load/source-lines";
import type { LoadedStack } from "../load/stacks";
import { checkApp } from "./app-checks";
import { checkAppNames } from "./app-names";
import { environmentReferences, isReference } from "./app-references";
import { argoCdNameProblem, delivererOf, deliveryProblem } from "./deliverers";
import type { PlannedApp } from "./planned-app";
import type { PlatformPlan } from "./platform-types";

/** Names of the outputs that a stack's applications give. */
export const appOutputs = ({ apps }: Pick<LoadedStack, "apps">): string[] => Object.values(apps).flatMap(({ outputs }) => Object.keys(outputs ?? {}));

function referencesOf(app: App): FromStack[] {
  const { image } = app;
  const ofImage = typeof image === "object" && "setting" in image ? ("otherwise" in image ? image.otherwise : undefined) : image;
  return [...[ofImage].filter(isReference), ...environmentReferences(app)];
}

/** The placeholder of a value of another stack. */
const standIn = (reference: FromStack): string =>
  "image" in reference ? `<image of ${reference.image} in ${reference.from}>` : `<${reference.output} of ${reference.from}>`;

/** @throws HomelabError E_UPSTREAM_UNDECLARED for an output of a stack that is not needed, or that does not have it */
function checkReference({ stacks, root }: Estate, stack: LoadedStack, app: string, reference: FromStack): void {
  const { from } = reference;
  const [what, wanted] = "image" in reference ? ["application", reference.image] : ["output", reference.output];
  const refusal = (why: string, hint: string): HomelabError =>
    new HomelabError(
      "E_UPSTREAM_UNDECLARED",
      `${stackPlace(root, stack.name, "apps", app)}${stack.name}: ${app} takes ${from}.${"image" in reference ? `images.${wanted}` : wanted}, and ${why}`,
      {
        subject: stack.name,
        hint,
      },
    );
  const source = stacks.find(({ name }) => name === from);
  if (source === undefined || !stack.needs.includes(from))
    throw refusal(`${stack.name} does not need "${from}"`, `its needs are: ${stack.needs.join(", ") || "none"}`);
  const names = "image" in reference ? Object.keys(source.apps) : ["clusterEndpoint", ...appOutputs(source)];
  if (names.includes(wanted)) return;
  const meant = nearest(wanted, names);
  throw refusal(`"${from}" has no such ${what}`, meant === undefined ? `its ${what}s are: ${names.join(", ") || "none"}` : `did you mean "${meant}"?`);
}

function imageOf(app: string, { image }: App, stack: string, { appImage, images }: StackConfig): string | FromStack {
  if (typeof image === "string" || "from" in image) return image;
  const isOwn = image.setting === "images";
  const found = isOwn ? images[app] : (appImage ?? image.otherwise);
  if (found !== undefined) return found;
  const file = `Pulumi.${stack}.yaml`;
  throw new HomelabError("E_CONFIG_VALUE", isOwn ? `${file}: homelab:images has none for ${app}` : `${file}: homelab:appImage is missing`, {
    subject: file,
    hint: isOwn ? `name the image that ${app} runs in ${stack}, or move one there with homelab promote` : `name the image that ${stack} runs`,
  });
}

/** @throws HomelabError E_APP for a module argo-cd-access that names no Argo CD that delivers, or a second one; for two objects of one name there */
function checkDelivery(estate: Estate, stack: LoadedStack): void {
  const refuse = ([what, hint]: readonly [string, string], ...at: readonly string[]): never => {
    throw new HomelabError("E_APP", `${stackPlace(estate.root, stack.name, ...at)}${stack.name}: ${what}`, { subject: stack.name, hint });
  };
  const problem = deliveryProblem(estate, stack);
  if (problem !== undefined) refuse(problem, "platform", "argo-cd-access");
  const clash = argoCdNameProblem(estate, stack);
  if (clash !== undefined) refuse(clash, "apps");
}

/** Whether `homelab:images` of the stack's settings names its image. */
export const takesImageOfSettings = (app: Pick<App, "image"> | undefined): boolean =>
  typeof app?.image === "object" && "setting" in app.image && app.image.setting === "images";

/** @throws HomelabError E_CONFIG_VALUE for an image in the settings whose application the matrix does not have */
function checkImages({ name, apps }: LoadedStack, { images }: StackConfig): void {
  const owners = Object.keys(apps).filter((app) => takesImageOfSettings(apps[app]));
  const strange = Object.keys(images).find((app) => !owners.includes(app));
  if (strange === undefined) return;
  const meant = nearest(strange, owners);
  throw new HomelabError("E_CONFIG_VALUE", `Pulumi.${name}.yaml: homelab:images names "${strange}", which ${name} does not take an image for`, {
    subject: `Pulumi.${name}.yaml`,
    hint: meant === undefined ? `its applications with images of the settings are: ${owners.join(", ") || "none"}` : `did you mean "${meant}"?`,
  });
}

function planPort({ name, port, servicePort, host, withoutIngress, rules }: App["ports"][number], routes: boolean, domain: string): AppPort {
  const served = host !== undefined && (routes || withoutIngress !== "skip");
  return {
    name,
    port,
    ...(servicePort === undefined ? {} : { servicePort }),
    ...(served ? { host: `${host}.${domain}` } : {}),
    ...(rules === undefined ? {} : { rules }),
  };
}

type Where = { readonly estate: Estate; readonly stack: LoadedStack; readonly config: StackConfig; readonly routes: boolean };

function planApp(name: string, app: App, { estate, stack, config, routes }: Where): PlannedApp {
  for (const reference of referencesOf(app)) checkReference(estate, stack, name, reference);
  const references = new Map<string, FromStack>();
  const textOf = (value: string | FromStack): string => {
    if (typeof value === "string") return value;
    references.set(standIn(value), value);
    return standIn(value);
  };
  const { image: _image, ports, replicas, outputs, environment, flows, exceptions, delivery = "pulumi", ...rest } = app;
  const planned = ports.map((port) => planPort(port, routes, estate.site.domain));
  const [first, ...more] = planned;
  if (first === undefined) throw new Error(`${name} has no port`);
  const count = typeof replicas === "object" ? config.appReplicas : replicas;
  return {
    name,
    spec: {
      ...rest,
      name,
      image: textOf(imageOf(name, app, stack.name, config)),
      ports: [first, ...more],
      ...(count === undefined ? {} : { replicas: count }),
      ...(environment === undefined
        ? {}
        : { environment: Object.fromEntries(Object.entries(environment).map(([key, value]) => [key, isReference(value) ? textOf(value) : value])) }),
    },
    references,
    urls: new Map(ports.flatMap(({ name: port, url }, index) => (url === undefined || planned[index]?.host === undefined ? [] : [[url, port] as const]))),
    delivery,
    fromElsewhere: delivery === "argo-cd" && delivererOf(estate, stack)?.name !== stack.name,
    outputs: outputs ?? {},
    ...(flows === undefined ? {} : { flows }),
    ...(exceptions === undefined ? {} : { exceptions }),
  };
}

/**
 * The stack's applications in the order of the matrix.
 * @param platform of the stack
 * @throws HomelabError E_UPSTREAM_UNDECLARED, E_APP, E_APP_PATCH, E_CONFIG_VALUE
 */
export function planApps(estate: Estate, stack: LoadedStack, config: StackConfig, platform: PlatformPlan): PlannedApp[] {
  checkAppNames(stack, estate.root);
  checkDelivery(estate, stack);
  checkImages(stack, config);
  const where = { estate, stack, config, routes: platform.hasRoutes };
  return Object.entries(stack.apps).map(([name, app]) => {
    const planned = planApp(name, app, where);
    checkApp(planned, app, { estate, stack, platform });
    return planned;
  });
}
