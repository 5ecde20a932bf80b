/** The applications of the stack's row of the matrix. */
import type { Provider } from "@pulumi/kubernetes/provider";
import type * as pulumi from "@pulumi/pulumi";
import { WebApp, type WebAppArgs } from "../../components/apps/web-app";
import type { PlannedApp, PlannedPort } from "../plan/apps";
import { plannedNamespace } from "../plan/platform";
import type { BuildContext } from "./context";
import type { BuiltPlatform } from "./platform";

export interface BuiltApps {
  /** By the name of the application. */
  images: Readonly<Record<string, pulumi.Output<string>>>;
  urls: Readonly<Record<string, pulumi.Output<string>>>;
  /** Outputs of the stack that its applications give. */
  outputs: Readonly<Record<string, pulumi.Output<string>>>;
}

/** Nothing asks for a certificate where no port has a host name. */
const NO_ISSUER = "none";

const portOf = ({ name, port, host }: PlannedPort): WebAppArgs["ports"][number] => ({ name, port, ...(host === undefined ? {} : { host }) });

function buildApp({ plan, upstream }: BuildContext, app: PlannedApp, { given, components }: BuiltPlatform, provider: Provider): WebApp {
  const before = plan.platform.beforeApplications.flatMap((name) => components.get(name) ?? []);
  const known = (value: PlannedApp["image"]): pulumi.Input<string> => (typeof value === "string" ? value : upstream.text(value));
  const { name, image, ports, replicas, environment, outputs: _outputs, flows: _flows, exceptions: _exceptions, ...rest } = app;
  const [first, ...more] = ports;
  return new WebApp(
    name,
    {
      ...(rest as Omit<WebAppArgs, "namespace" | "image" | "ports" | "routes" | "issuer">),
      image: known(image),
      ports: [portOf(first), ...more.map(portOf)],
      ...(replicas === undefined ? {} : { replicas }),
      environment: Object.fromEntries(Object.entries(environment ?? {}).map(([key, value]) => [key, known(value)])),
      namespace: plannedNamespace(plan.platform, name),
      routes: plan.platform.place.routes,
      issuer: given.issuer ?? NO_ISSUER,
    },
    { providers: { kubernetes: provider }, ...(before.length === 0 ? {} : { dependsOn: [...before] }) },
  );
}

/** In the order of the matrix. */
export function buildApps(context: BuildContext, platform: BuiltPlatform, provider: Provider): BuiltApps {
  const built = context.plan.apps.map((planned) => ({ planned, app: buildApp(context, planned, platform, provider) }));
  return {
    images: Object.fromEntries(built.map(({ planned, app }) => [planned.name, app.image])),
    urls: Object.fromEntries(
      built.flatMap(({ planned, app }) => planned.ports.flatMap(({ name, url }) => (url === undefined ? [] : [[url, app.url(name)] as const]))),
    ),
    outputs: Object.fromEntries(
      built.flatMap(({ planned, app }) => Object.entries(planned.outputs).map(([name, source]) => [name, app.url(source.url)] as const)),
    ),
  };
}
