import { ValidatingAdmissionPolicy } from "@pulumi/kubernetes/admissionregistration/v1/validatingAdmissionPolicy";
import { ValidatingAdmissionPolicyBinding } from "@pulumi/kubernetes/admissionregistration/v1/validatingAdmissionPolicyBinding";
import { CronJob } from "@pulumi/kubernetes/batch/v1/cronJob";
import { Job } from "@pulumi/kubernetes/batch/v1/job";
import { ConfigMap } from "@pulumi/kubernetes/core/v1/configMap";
import { ServiceAccount } from "@pulumi/kubernetes/core/v1/serviceAccount";
import { ClusterRole } from "@pulumi/kubernetes/rbac/v1/clusterRole";
import { ClusterRoleBinding } from "@pulumi/kubernetes/rbac/v1/clusterRoleBinding";
import { Role } from "@pulumi/kubernetes/rbac/v1/role";
import { RoleBinding } from "@pulumi/kubernetes/rbac/v1/roleBinding";
import type * as pulumi from "@pulumi/pulumi";
import { Component, timeouts } from "../../base/component";
import { Namespace, type NamespaceArgs } from "../../base/namespace";
import type { BuildModule } from "../context";
import type { KubevirtSessionsOptions } from "./options";
import { goldenImageObjects, goldenImageOf, type Manifest, reaperObjects } from "./values";

/** What a manifest has is checked where it is made; the arguments of a resource are its fields. */
type Kind = new (name: string, args: never, opts: pulumi.CustomResourceOptions) => pulumi.CustomResource;

const KINDS: Readonly<Record<string, Kind>> = {
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
  ServiceAccount,
  ClusterRole,
  ClusterRoleBinding,
  Role,
  RoleBinding,
  ConfigMap,
  CronJob,
  Job,
};

const kebab = (kind: string): string => kind.replace(/(?<=[a-z])[A-Z]/g, "-$&").toLowerCase();

/** Longer than the Job's own deadline: the stack is up when the image is published, and says why where it is not. */
const MINUTES = 120;

export interface KubevirtSessionsArgs {
  reaper: { namespace: NamespaceArgs; objects: readonly Manifest[] };
  goldenImage: { namespace: NamespaceArgs; objects: readonly Manifest[] };
}

/** The reaper and the golden image of sessions. Sessions themselves are no resources: docs/sessions.md. */
export class KubevirtSessions extends Component {
  constructor(name: string, args: KubevirtSessionsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("platform:KubevirtSessions", name, opts);
    for (const [part, { namespace, objects }] of [["reaper", args.reaper] as const, ["image", args.goldenImage] as const]) {
      const made = new Namespace(`${name}-${part}-ns`, namespace, this.child());
      this.#inOrder(`${name}-${part}`, objects, made);
    }
    this.registerOutputs({});
  }

  /** Each object after the ones before it, as kubectl applies them. */
  #inOrder(name: string, objects: readonly Manifest[], { namespace }: Namespace): void {
    const before: pulumi.Resource[] = [];
    for (const { apiVersion: _, kind, metadata, ...fields } of objects) {
      const Made = KINDS[kind];
      if (Made === undefined) throw new Error(`sessions have an object of a kind that no resource is for: ${kind}`);
      const own = { ...metadata, ...(metadata.namespace === undefined ? {} : { namespace }) };
      const opts = { dependsOn: [...before], ...(kind === "Job" ? { customTimeouts: timeouts(MINUTES), deleteBeforeReplace: true } : {}) };
      before.push(new Made(`${name}-${kebab(kind)}`, { ...fields, metadata: own } as never, this.child(opts)));
    }
  }
}

export const buildKubevirtSessions: BuildModule<KubevirtSessionsOptions> = (name, { options, context }, opts) => ({
  component: new KubevirtSessions(
    name,
    {
      reaper: { namespace: context.namespace(options.namespace), objects: reaperObjects(options) },
      goldenImage: {
        namespace: context.namespace(goldenImageOf(options, context.place).namespace),
        objects: goldenImageObjects(options, context.place),
      },
    },
    opts,
  ),
});
