import { CustomResource } from "@pulumi/kubernetes/apiextensions/customResource";
import type * as pulumi from "@pulumi/pulumi";
import { Component } from "../../base/component";
import { HelmRelease } from "../../base/helm-release";
import { Namespace, type NamespaceArgs } from "../../base/namespace";
import type { BuildModule } from "../context";
import type { MetallbOptions } from "./options";
import { METALLB_API, METALLB_CHART, METALLB_NAMESPACE, metallbValues, POOL, poolSpec } from "./values";

/** A valid pool for the dry run, in a network that is reserved for documentation. */
const ASKED = {
  apiVersion: METALLB_API,
  kind: "IPAddressPool",
  metadata: { name: "asked", namespace: METALLB_NAMESPACE },
  spec: { addresses: ["203.0.113.1-203.0.113.1"] },
};

export interface MetallbArgs extends MetallbOptions {
  namespace: NamespaceArgs;
}

/** MetalLB with one pool, announced in the nodes' own network. */
export class Metallb extends Component {
  constructor(name: string, args: MetallbArgs, opts?: pulumi.ComponentResourceOptions) {
    super("platform:Metallb", name, opts);
    const { namespace } = new Namespace(`${name}-ns`, args.namespace, this.child());
    const release = new HelmRelease(name, { releaseName: "metallb", namespace, chart: METALLB_CHART, values: metallbValues(), admits: [ASKED] }, this.child());
    const metadata = { name: POOL, namespace };
    const pool = new CustomResource(
      `${name}-pool`,
      { apiVersion: METALLB_API, kind: "IPAddressPool", metadata, spec: poolSpec(args.addresses) },
      this.child({ dependsOn: [release] }),
    );
    new CustomResource(
      `${name}-advertisement`,
      { apiVersion: METALLB_API, kind: "L2Advertisement", metadata, spec: { ipAddressPools: [POOL] } },
      this.child({ dependsOn: [pool] }),
    );
    this.registerOutputs({});
  }
}

export const buildMetallb: BuildModule<MetallbOptions> = (name, { options, context }, opts) => ({
  component: new Metallb(name, { ...options, namespace: context.namespace(METALLB_NAMESPACE) }, opts),
});
