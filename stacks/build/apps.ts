/** The applications of the stack's row of the matrix. */
import type { Provider } from "@pulumi/kubernetes/provider";
import type * as pulumi from "@pulumi/pulumi";
import { secretDataOf } from "../../components/apps/app-spec";
import { WebApp } from "../../components/apps/web-app";
import { SECRETS_FROM } from "../../components/platform/namespace-grants";
import type { PlannedApp } from "../plan/planned-app";
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

/** For a stack without an issuer: none of its ports has a host name, so no certificate is requested. */
const NO_ISSUER = "none";

function buildApp(
  { plan, upstream }: BuildContext,
  { name, spec, references, delivery, fromElsewhere }: PlannedApp,
  platform: BuiltPlatform,
  provider: Provider,
): WebApp {
  const { context, components } = platform;
  const hasSecrets = Object.keys(secretDataOf(spec)).length > 0;
  const wanted = [...plan.platform.beforeApplications, ...(hasSecrets ? SECRETS_FROM : [])];
  const before = [...new Set(wanted)].flatMap((module) => components.get(module) ?? []);
  const { name: _, ...app } = spec;
  return new WebApp(
    name,
    {
      ...app,
      delivery,
      fromElsewhere,
      values: new Map([...references].map(([text, reference]) => [text, upstream.text(reference)])),
      namespace: plannedNamespace(plan.platform, name),
      routes: plan.platform.place.routes,
      issuer: platform.given.issuer ?? NO_ISSUER,
      ...(hasSecrets ? { secrets: context.secrets.bind(context) } : {}),
    },
    { providers: { kubernetes: provider }, ...(before.length === 0 ? {} : { dependsOn: [...before] }) },
  );
}

/** In the order of the matrix. */
export function buildApps(context: BuildContext, platform: BuiltPlatform, provider: Provider): BuiltApps {
  const built = context.plan.apps.map((planned) => ({ planned, app: buildApp(context, planned, platform, provider) }));
  return {
    images: Object.fromEntries(built.map(({ planned, app }) => [planned.name, app.image])),
    urls: Object.fromEntries(built.flatMap(({ planned, app }) => [...planned.urls].map(([url, port]) => [url, app.url(port)] as const))),
    outputs: Object.fromEntries(
      built.flatMap(({ planned, app }) => Object.entries(planned.outputs).map(([name, source]) => [name, app.url(source.url)] as const)),
    ),
  };
}
