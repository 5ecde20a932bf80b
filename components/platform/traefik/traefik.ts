import type * as pulumi from "@pulumi/pulumi";
import { Component } from "../../base/component";
import { HelmRelease } from "../../base/helm-release";
import { Namespace, type NamespaceArgs } from "../../base/namespace";
import type { BuildModule } from "../context";
import { TRAEFIK_CHART, TRAEFIK_NAMESPACE, traefikValues } from "./values";

/** The ingress controller Traefik. */
export class Traefik extends Component {
  constructor(name: string, args: { namespace: NamespaceArgs }, opts?: pulumi.ComponentResourceOptions) {
    super("platform:Traefik", name, opts);
    const { namespace } = new Namespace(`${name}-ns`, args.namespace, this.child());
    new HelmRelease(name, { releaseName: "traefik", namespace, chart: TRAEFIK_CHART, values: traefikValues() }, this.child());
    this.registerOutputs({});
  }
}

export const buildTraefik: BuildModule<Record<string, never>> = (name, { context }, opts) => ({
  component: new Traefik(name, { namespace: context.namespace(TRAEFIK_NAMESPACE) }, opts),
});
