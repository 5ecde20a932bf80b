import { CustomResource } from "@pulumi/kubernetes/apiextensions/customResource";
import { Service } from "@pulumi/kubernetes/core/v1/service";
import type * as pulumi from "@pulumi/pulumi";
import { Component, timeouts } from "../../base/component";
import { namedBalancer } from "../../base/named-balancer";
import { Namespace, type NamespaceArgs } from "../../base/namespace";
import { PinnedManifest } from "../../base/pinned-manifest";
import type { BuildModule } from "../context";
import type { CdiOptions } from "./options";
import { CDI_API, CDI_NAMESPACE, CDI_OPERATOR, cdiSpec, UPLOAD_BALANCER_PORT, UPLOAD_PORT } from "./values";

export interface CdiArgs {
  namespace: NamespaceArgs;
  /** Full name of the proxy by which images are uploaded. */
  uploadHost: string;
  /** Whether the cluster has volumes of Longhorn. */
  longhorn: boolean;
}

/** The operator, and the `CDI` object that it acts on. The object is deleted first: only the operator removes its finalizer. */
export class Cdi extends Component {
  constructor(name: string, args: CdiArgs, opts?: pulumi.ComponentResourceOptions) {
    super("platform:Cdi", name, opts);
    const own = { ...args.namespace, labels: { ...args.namespace.labels, "cdi.kubevirt.io": "" } };
    const { namespace } = new Namespace(`${name}-ns`, own, this.child());
    const operator = new PinnedManifest(`${name}-operator`, { files: [CDI_OPERATOR], namespace }, this.child());
    const made = new CustomResource(
      `${name}-cdi`,
      {
        apiVersion: CDI_API,
        kind: "CDI",
        metadata: { name: "cdi", annotations: { "pulumi.com/waitFor": "condition=Available" } },
        spec: cdiSpec(args.uploadHost, args.longhorn),
      },
      this.child({ dependsOn: [operator], customTimeouts: timeouts(20) }),
    );
    new Service(
      `${name}-upload`,
      namedBalancer({
        name: "cdi-uploadproxy-balancer",
        namespace,
        host: args.uploadHost,
        selector: { "cdi.kubevirt.io": "cdi-uploadproxy" },
        port: UPLOAD_BALANCER_PORT,
        targetPort: UPLOAD_PORT,
      }),
      this.child({ dependsOn: [made], customTimeouts: timeouts(10) }),
    );
    this.registerOutputs({});
  }
}

export const buildCdi: BuildModule<CdiOptions> = (name, { context }, opts) => {
  const { domain, kinds } = context.place;
  const uploadHost = `cdi-uploadproxy.${domain}`;
  const longhorn = kinds.includes("volumes.longhorn.io");
  return { component: new Cdi(name, { namespace: context.namespace(CDI_NAMESPACE), uploadHost, longhorn }, opts) };
};
