import type * as pulumi from "@pulumi/pulumi";
import { Component } from "../../base/component";
import { HelmRelease } from "../../base/helm-release";
import { Namespace, type NamespaceArgs } from "../../base/namespace";
import type { BuildModule } from "../context";
import { NGINX_INGRESS_CHART, NGINX_INGRESS_NAMESPACE, nginxIngressValues } from "./values";

/** F5's ingress controller. */
export class NginxIngress extends Component {
  constructor(name: string, args: { namespace: NamespaceArgs }, opts?: pulumi.ComponentResourceOptions) {
    super("platform:NginxIngress", name, opts);
    const { namespace } = new Namespace(`${name}-ns`, args.namespace, this.child());
    new HelmRelease(name, { releaseName: "nginx-ingress", namespace, chart: NGINX_INGRESS_CHART, values: nginxIngressValues() }, this.child());
    this.registerOutputs({});
  }
}

export const buildNginxIngress: BuildModule<Record<string, never>> = (name, { context }, opts) => ({
  component: new NginxIngress(name, { namespace: context.namespace(NGINX_INGRESS_NAMESPACE) }, opts),
});
