import { CustomResource } from "@pulumi/kubernetes/apiextensions/customResource";
import { Service } from "@pulumi/kubernetes/core/v1/service";
import type * as pulumi from "@pulumi/pulumi";
import { Component, timeouts } from "../../base/component";
import { namedBalancer } from "../../base/named-balancer";
import { Namespace, type NamespaceArgs } from "../../base/namespace";
import { PinnedManifest } from "../../base/pinned-manifest";
import type { BuildModule } from "../context";
import type { KubevirtOptions } from "./options";
import { EXPORT_BALANCER_PORT, EXPORT_PORT, KUBEVIRT_API, KUBEVIRT_NAMESPACE, KUBEVIRT_OPERATOR, kubevirtSpec } from "./values";

export interface KubevirtArgs extends Pick<KubevirtOptions, "emulation"> {
  namespace: NamespaceArgs;
  /** Full name of the proxy by which volumes are downloaded. */
  exportHost: string;
}

/** The operator, and the `KubeVirt` object that it acts on. The object is deleted first: only the operator removes its finalizer. */
export class Kubevirt extends Component {
  constructor(name: string, args: KubevirtArgs, opts?: pulumi.ComponentResourceOptions) {
    super("platform:Kubevirt", name, opts);
    const own = { ...args.namespace, labels: { ...args.namespace.labels, "kubevirt.io": "" } };
    const { namespace } = new Namespace(`${name}-ns`, own, this.child());
    const operator = new PinnedManifest(`${name}-operator`, { files: [KUBEVIRT_OPERATOR], namespace }, this.child());
    const made = new CustomResource(
      `${name}-kubevirt`,
      {
        apiVersion: KUBEVIRT_API,
        kind: "KubeVirt",
        metadata: { name: "kubevirt", namespace, annotations: { "pulumi.com/waitFor": "condition=Available" } },
        spec: kubevirtSpec(args),
      },
      this.child({ dependsOn: [operator], customTimeouts: timeouts(20) }),
    );
    new Service(
      `${name}-export`,
      namedBalancer({
        name: "virt-exportproxy-balancer",
        namespace,
        host: args.exportHost,
        selector: { "kubevirt.io": "virt-exportproxy" },
        port: EXPORT_BALANCER_PORT,
        targetPort: EXPORT_PORT,
      }),
      this.child({ dependsOn: [made], customTimeouts: timeouts(10) }),
    );
    this.registerOutputs({});
  }
}

export const buildKubevirt: BuildModule<KubevirtOptions> = (name, { options, context }, opts) => {
  const exportHost = `kubevirt-exportproxy.${context.place.domain}`;
  return { component: new Kubevirt(name, { ...options, namespace: context.namespace(KUBEVIRT_NAMESPACE), exportHost }, opts) };
};
