import type * as pulumi from "@pulumi/pulumi";
import { Component } from "../../base/component";
import { HelmRelease } from "../../base/helm-release";
import { Monitoring } from "../../base/monitoring";
import { Namespace, type NamespaceArgs } from "../../base/namespace";
import { webRoute } from "../../base/web-route";
import type { BuildModule } from "../context";
import { credentialMark } from "../credential-mark";
import type { Routes } from "../place";
import { SecretAccess, type SecretsOfNamespace } from "../secret-access";
import { hubAlerts } from "./alerts";
import { COLLECTOR_CHART, METRICS, OTLP_HTTP_PORT } from "./chart";
import type { OtelCollectorOptions } from "./options";
import { HUB_PODS, HUB_RELEASE, hubHost, hubValues, SENDERS_SECRET, sendersSecret, TELEMETRY_NAMESPACE } from "./values";

export interface OtelCollectorArgs {
  namespace: NamespaceArgs;
  options: OtelCollectorOptions;
  /** The senders' passwords, in their order. Secret. */
  passwords: readonly pulumi.Input<string>[];
  secrets: SecretsOfNamespace;
  /** Full name. */
  host: string;
  routes: Routes;
  issuer: pulumi.Input<string>;
  kinds: readonly string[];
  /** The environment that it runs in. Prometheus scrapes that one itself, so it has no alert for silence. */
  environment: string;
}

/** The entry point for traces, logs and metrics of all environments. */
export class OtelCollector extends Component {
  readonly url: pulumi.Output<string>;

  constructor(name: string, args: OtelCollectorArgs, opts?: pulumi.ComponentResourceOptions) {
    super("platform:OtelCollector", name, opts);
    const { namespace } = new Namespace(`${name}-ns`, args.namespace, this.child());
    const access = new SecretAccess(`${name}-secrets`, args.secrets(TELEMETRY_NAMESPACE, namespace, [sendersSecret(args.options)]), this.child());
    const values = hubValues(args.options, credentialMark(SENDERS_SECRET, args.passwords));
    const release = new HelmRelease(name, { releaseName: HUB_RELEASE, namespace, chart: COLLECTOR_CHART, values }, this.child({ dependsOn: [access] }));
    new Monitoring(
      name,
      {
        namespace,
        selector: HUB_PODS,
        pods: [{ port: METRICS }],
        rules: hubAlerts(Object.keys(args.options.senders).filter((sender) => sender !== args.environment)),
        kinds: args.kinds,
      },
      this.child(),
    );
    const { host, routes, issuer } = args;
    const route = webRoute(`${name}-otlp`, { namespace, host, service: release.releaseName, port: OTLP_HTTP_PORT, routes, issuer }, this.child());
    this.url = route.url;
    this.registerOutputs({ url: this.url });
  }
}

export const buildOtelCollector: BuildModule<OtelCollectorOptions> = (name, { options, context }, opts) => {
  const { domain, routes, kinds, environment } = context.place;
  const component = new OtelCollector(
    name,
    {
      namespace: context.namespace(TELEMETRY_NAMESPACE),
      options,
      passwords: Object.values(options.senders).map(({ path, key }) => context.programSecrets.get(path, key)),
      secrets: context.secrets.bind(context),
      host: hubHost(domain),
      routes,
      issuer: context.need("issuer"),
      kinds,
      environment,
    },
    opts,
  );
  return { component, urls: { "otel-collector": component.url } };
};
