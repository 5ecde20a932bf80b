import { Secret } from "@pulumi/kubernetes/core/v1/secret";
import { ServiceAccount } from "@pulumi/kubernetes/core/v1/serviceAccount";
import type { Provider as KubernetesProvider } from "@pulumi/kubernetes/provider";
import { ClusterRoleBinding } from "@pulumi/kubernetes/rbac/v1/clusterRoleBinding";
import * as pulumi from "@pulumi/pulumi";
import { AuthBackend } from "@pulumi/vault/authBackend";
import { AuthBackendConfig } from "@pulumi/vault/kubernetes/authBackendConfig";
import type { Provider as VaultProvider } from "@pulumi/vault/provider";
import { Component } from "../base/component";
import { Namespace } from "../base/namespace";

export interface VaultClusterAccessArgs {
  /** Name of the stack; the auth mount is `kubernetes-<stack>`. */
  stack: string;
  /** `https://<address>:6443`, as Vault reaches it. */
  endpoint: pulumi.Input<string>;
  /** Certificate authority of the cluster, PEM. */
  ca: pulumi.Input<string>;
}

const REVIEWER = "vault-token-reviewer";

/** Lets service accounts of one cluster log in to Vault: Vault asks the cluster whether their tokens are good. */
export class VaultClusterAccess extends Component {
  /** Path of the auth mount; known once it is configured. */
  readonly mount: pulumi.Output<string>;

  constructor(name: string, args: VaultClusterAccessArgs, kubernetes: KubernetesProvider, vault: VaultProvider, opts?: pulumi.ComponentResourceOptions) {
    super("platform:VaultClusterAccess", name, opts);
    const backend = new AuthBackend(
      `${name}-backend`,
      { type: "kubernetes", path: `kubernetes-${args.stack}`, description: `Service accounts of the cluster ${args.stack}` },
      this.child({ provider: vault }),
    );
    const config = new AuthBackendConfig(
      `${name}-config`,
      {
        backend: backend.path,
        kubernetesHost: args.endpoint,
        kubernetesCaCert: args.ca,
        tokenReviewerJwt: this.reviewerToken(name, kubernetes),
        // Vault of the tools cluster would otherwise use its own pod's credentials.
        disableLocalCaJwt: true,
      },
      this.child({ provider: vault }),
    );
    this.mount = config.backend.apply((path) => path ?? `kubernetes-${args.stack}`);
    this.registerOutputs({ mount: this.mount });
  }

  /** A token that may ask about other tokens and nothing else. Secret. */
  private reviewerToken(name: string, kubernetes: KubernetesProvider): pulumi.Output<string> {
    const child = this.child({ provider: kubernetes });
    const { namespace } = new Namespace(`${name}-ns`, { name: "vault-access" }, kubernetes, { parent: this });
    const account = new ServiceAccount(`${name}-reviewer`, { metadata: { name: REVIEWER, namespace } }, child);
    const binding = new ClusterRoleBinding(
      `${name}-reviewer-binding`,
      {
        metadata: { name: REVIEWER },
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "system:auth-delegator" },
        subjects: [{ kind: "ServiceAccount", name: account.metadata.name, namespace }],
      },
      child,
    );
    const token = new Secret(
      `${name}-reviewer-token`,
      {
        metadata: { name: REVIEWER, namespace, annotations: { "kubernetes.io/service-account.name": account.metadata.name } },
        type: "kubernetes.io/service-account-token",
      },
      this.child({ provider: kubernetes, dependsOn: [binding], additionalSecretOutputs: ["data"] }),
    );
    return pulumi.secret(token.data.apply((data) => Buffer.from(data?.["token"] ?? "", "base64").toString("utf8")));
  }
}
