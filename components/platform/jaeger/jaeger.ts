import type * as pulumi from "@pulumi/pulumi";
import { Component } from "../../base/component";
import { HelmRelease } from "../../base/helm-release";
import { Namespace, type NamespaceArgs } from "../../base/namespace";
import { Persistence } from "../../base/persistence";
import { webRoute } from "../../base/web-route";
import type { BuildModule } from "../context";
import { grafanaSource } from "../kube-prometheus-stack/grafana-source";
import type { Routes } from "../place";
import type { JaegerOptions } from "./options";
import { JAEGER_CHART, JAEGER_NAMESPACE, JAEGER_RELEASE, JAEGER_SOURCE, jaegerValues, QUERY_PORT, TRACES_CLAIM } from "./values";

export interface JaegerArgs extends Pick<JaegerOptions, "size" | "retentionDays"> {
  namespace: NamespaceArgs;
  storageClass: string;
  /** Full name of its pages. */
  host: string;
  routes: Routes;
  issuer: pulumi.Input<string>;
}

/** Traces of all environments. */
export class Jaeger extends Component {
  readonly url: pulumi.Output<string>;

  constructor(name: string, args: JaegerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("platform:Jaeger", name, opts);
    const { namespace } = new Namespace(`${name}-ns`, args.namespace, this.child());
    // The claim is not kept: traces are deleted after some days anyway.
    const claim = new Persistence(
      `${name}-traces`,
      { name: TRACES_CLAIM, namespace, size: args.size, storageClass: args.storageClass, keep: false },
      this.child(),
    );
    const release = new HelmRelease(
      name,
      { releaseName: JAEGER_RELEASE, namespace, chart: JAEGER_CHART, values: jaegerValues(args) },
      this.child({ dependsOn: [claim] }),
    );
    grafanaSource(`${name}-source`, JAEGER_SOURCE, namespace, this.child());
    const route = webRoute(
      `${name}-pages`,
      { namespace, host: args.host, service: release.releaseName, port: QUERY_PORT, routes: args.routes, issuer: args.issuer },
      this.child(),
    );
    this.url = route.url;
    this.registerOutputs({ url: this.url });
  }
}

export const buildJaeger: BuildModule<JaegerOptions> = (name, { options: { storageClass, ...options }, context }, opts) => {
  const { domain, routes, storageClass: usual } = context.place;
  const component = new Jaeger(
    name,
    {
      ...options,
      storageClass: storageClass ?? usual,
      host: `jaeger.${domain}`,
      routes,
      issuer: context.need("issuer"),
      namespace: context.namespace(JAEGER_NAMESPACE),
    },
    opts,
  );
  return { component, urls: { jaeger: component.url } };
};
