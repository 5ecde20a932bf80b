import { CustomResource } from "@pulumi/kubernetes/apiextensions/customResource";
import { LimitRange } from "@pulumi/kubernetes/core/v1/limitRange";
import { Namespace as KubernetesNamespace } from "@pulumi/kubernetes/core/v1/namespace";
import { ResourceQuota } from "@pulumi/kubernetes/core/v1/resourceQuota";
import { NetworkPolicy, type NetworkPolicyArgs } from "@pulumi/kubernetes/networking/v1/networkPolicy";
import type * as pulumi from "@pulumi/pulumi";
import { after, Component, timeouts } from "./component";
import { ISTIO_SECURITY_API } from "./istio-routes";
import type { NamespacePolicy } from "./network-policy";

/** What pods may ask for (https://kubernetes.io/docs/concepts/security/pod-security-standards/). */
export type PodSecurity = "privileged" | "baseline" | "restricted";

/** Requests and limit of a container that sets none, as quantities: `50m`, `64Mi`. */
export interface ContainerDefaults {
  readonly cpu: string;
  readonly memory: string;
  /** Left out: it has no limit. */
  readonly memoryLimit?: string;
}

/** Who may connect to which ports of a namespace's pods, by identities of the mesh. */
export interface MeshRule {
  /** SPIFFE identity without its scheme, or all accounts of a namespace. */
  readonly from: { readonly principal: string } | { readonly namespace: string };
  readonly ports: readonly number[];
}

export interface NamespaceArgs {
  /** Name in the cluster. */
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** Pods that ask for more are refused. Left out: the cluster's own default. */
  readonly podSecurity?: PodSecurity;
  /** Everything else is refused, in both directions. Left out: everything is allowed. */
  readonly networkPolicy?: NamespacePolicy;
  readonly containerDefaults?: ContainerDefaults;
  /** Puts the namespace into Istio's mesh, whose CRDs must exist: only callers in `allow` are answered. Left out: not in a mesh. */
  readonly mesh?: { readonly labels: Readonly<Record<string, string>>; readonly allow: readonly MeshRule[] };
  /** What all its objects together may ask for, as the `hard` of a ResourceQuota. */
  readonly quota?: Readonly<Record<string, string>>;
  /** It stays when the program's resource is deleted: Kubernetes would delete everything in it, volumes too. Delete it by hand. */
  readonly keep?: boolean;
}

/** The `spec` of an AuthorizationPolicy. Without rules it denies every request (https://istio.io/latest/docs/reference/config/security/authorization-policy/). */
export const meshSpec = (allow: readonly MeshRule[]) =>
  allow.length === 0
    ? {}
    : {
        action: "ALLOW",
        rules: allow.map(({ from, ports }) => ({
          from: [{ source: "principal" in from ? { principals: [from.principal] } : { namespaces: [from.namespace] } }],
          to: [{ operation: { ports: ports.map(String) } }],
        })),
      };

/** A namespace with the rules that hold for all that is in it. They are there before it is used, and go after it. */
export class Namespace extends Component {
  /** Known once the namespace and its rules exist: who uses it needs no `dependsOn`. */
  readonly namespace: pulumi.Output<string>;

  constructor(name: string, args: NamespaceArgs, opts?: pulumi.ComponentResourceOptions) {
    super("base:Namespace", name, opts);
    const security = args.podSecurity === undefined ? {} : { "pod-security.kubernetes.io/enforce": args.podSecurity };
    const own = new KubernetesNamespace(
      `${name}-namespace`,
      { metadata: { name: args.name, labels: { "app.kubernetes.io/managed-by": "homelab", ...security, ...args.mesh?.labels, ...args.labels } } },
      this.child({ customTimeouts: timeouts(10), retainOnDelete: args.keep ?? false }),
    );
    const rules = this.rules(name, args, own.metadata.name);
    this.namespace = after([own, ...rules], own.metadata.name);
    this.registerOutputs({ namespace: this.namespace });
  }

  private rules(name: string, args: NamespaceArgs, namespace: pulumi.Output<string>): pulumi.Resource[] {
    const { networkPolicy, containerDefaults, quota, mesh } = args;
    const rules: pulumi.Resource[] = [];
    if (networkPolicy !== undefined) {
      // The data is what the class takes; only its type demands mutable lists.
      const spec = { podSelector: {}, policyTypes: ["Ingress", "Egress"], ...networkPolicy } as unknown as NetworkPolicyArgs["spec"];
      rules.push(
        new NetworkPolicy(`${name}-flows`, { metadata: { name: "declared-flows", namespace }, ...(spec === undefined ? {} : { spec }) }, this.child()),
      );
    }
    if (containerDefaults !== undefined) {
      const { cpu, memory, memoryLimit } = containerDefaults;
      const limits = [{ type: "Container", defaultRequest: { cpu, memory }, ...(memoryLimit === undefined ? {} : { default: { memory: memoryLimit } }) }];
      rules.push(new LimitRange(`${name}-defaults`, { metadata: { name: "container-defaults", namespace }, spec: { limits } }, this.child()));
    }
    if (mesh !== undefined) {
      const metadata = { name: "declared-flows", namespace };
      rules.push(
        new CustomResource(`${name}-mesh`, { apiVersion: ISTIO_SECURITY_API, kind: "AuthorizationPolicy", metadata, spec: meshSpec(mesh.allow) }, this.child()),
      );
    }
    if (quota !== undefined) {
      rules.push(new ResourceQuota(`${name}-quota`, { metadata: { name: "quota", namespace }, spec: { hard: { ...quota } } }, this.child()));
    }
    return rules;
  }
}
