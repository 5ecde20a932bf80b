/** The applications of a stack with its settings, and what they take from other stacks. Plain data. */
import { HomelabError } from "../../common/errors";
import { nearest } from "../../common/nearest";
import type { App, FromStack } from "../define/app";
import type { Estate } from "../load/estate";
import type { StackConfig } from "../load/settings";
import { stackPlace } from "../load/source-lines";
import type { LoadedStack } from "../load/stacks";
import { hasCapability } from "./platform-input";
import type { ClusterFacts } from "./platform-types";

export interface PlannedPort {
  name: string;
  port: number;
  /** Full name that leads to it; undefined: it is reached inside the cluster only. */
  host: string | undefined;
  /** Name of its URL in the output `urls`. */
  url: string | undefined;
}

export interface PlannedApp
  extends Pick<App, "healthPath" | "livePath" | "healthPort" | "environment" | "resources" | "writable" | "runAsUser" | "flows" | "exceptions"> {
  /** Also that of its namespace. */
  name: string;
  image: string | FromStack;
  ports: readonly [PlannedPort, ...PlannedPort[]];
  replicas: number | undefined;
  /** Outputs of the stack: the URL of a port. */
  outputs: NonNullable<App["outputs"]>;
}

/** Names of the outputs that a stack's applications give. */
export const appOutputs = ({ apps }: Pick<LoadedStack, "apps">): string[] => Object.values(apps).flatMap(({ outputs }) => Object.keys(outputs ?? {}));

const isReference = (value: unknown): value is FromStack => typeof value === "object" && value !== null && "from" in value;

function referencesOf({ image, environment }: App): FromStack[] {
  const ofImage = typeof image === "object" && "setting" in image ? image.otherwise : image;
  return [ofImage, ...Object.values(environment ?? {})].filter(isReference);
}

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

function imageOf({ image }: App, stack: string, { appImage }: StackConfig): string | FromStack {
  if (typeof image === "string" || "from" in image) return image;
  const found = appImage ?? image.otherwise;
  if (found !== undefined) return found;
  throw new HomelabError("E_CONFIG_VALUE", `Pulumi.${stack}.yaml: homelab:appImage is missing`, {
    subject: `Pulumi.${stack}.yaml`,
    hint: `name the image that ${stack} runs`,
  });
}

/** @throws HomelabError E_APP for an output or a URL that two ports have, or of a port that has no host name */
function checkNames(stack: LoadedStack, root: string): void {
  const refuse = (what: string, hint: string): never => {
    throw new HomelabError("E_APP", `${stackPlace(root, stack.name, "apps")}${stack.name}: ${what}`, { subject: stack.name, hint });
  };
  const owners = new Map<string, string>();
  const claim = (what: string, app: string): void => {
    const other = owners.get(what);
    if (other !== undefined) refuse(`${app} and ${other} both have the ${what}`, "rename one of them");
    owners.set(what, app);
  };
  for (const [app, { ports, outputs }] of Object.entries(stack.apps)) {
    for (const { name, host, url } of ports) {
      claim(`port ${name} of ${app}`, app);
      if (url === undefined) continue;
      claim(`URL ${url}`, app);
      if (host === undefined) refuse(`the port ${name} of ${app} has a URL and no host`, "give it a host");
    }
    for (const [output, source] of Object.entries(outputs ?? {})) {
      claim(`output ${output}`, app);
      const port = ports.find(({ name }) => name === source.url);
      if (port?.host === undefined || port.withoutIngress === "skip")
        refuse(`the output ${output} is the URL of the port ${source.url}, which ${app} does not always have`, "name a port with a host");
    }
  }
}

/**
 * The stack's applications in the order of the matrix.
 * @throws HomelabError E_UPSTREAM_UNDECLARED, E_APP, E_CONFIG_VALUE
 */
export function planApps(estate: Estate, stack: LoadedStack, config: StackConfig, cluster: ClusterFacts): PlannedApp[] {
  checkNames(stack, estate.root);
  const routes = hasCapability(cluster, stack, "ingress");
  return Object.entries(stack.apps).map(([name, app]) => {
    for (const reference of referencesOf(app)) checkReference(estate, stack, name, reference);
    const planPort = ({ name: portName, port, host, withoutIngress, url }: App["ports"][number]): PlannedPort => {
      const served = host !== undefined && (routes || withoutIngress !== "skip");
      return { name: portName, port, host: served ? `${host}.${estate.site.domain}` : undefined, url: served ? url : undefined };
    };
    const { image: _image, ports, replicas, outputs, ...rest } = app;
    const [first, ...more] = ports;
    return {
      ...rest,
      name,
      image: imageOf(app, stack.name, config),
      ports: [planPort(first), ...more.map(planPort)],
      replicas: typeof replicas === "object" ? config.appReplicas : replicas,
      outputs: outputs ?? {},
    };
  });
}
