import { Secret } from "@pulumi/kubernetes/core/v1/secret";
import { ServiceAccount } from "@pulumi/kubernetes/core/v1/serviceAccount";
import { ClusterRoleBinding } from "@pulumi/kubernetes/rbac/v1/clusterRoleBinding";
import * as pulumi from "@pulumi/pulumi";
import { AuthBackendConfig } from "@pulumi/vault/kubernetes/authBackendConfig";
import { after, Component } from "../../base/component";
import { Namespace, type NamespaceArgs } from "../../base/namespace";
import { authMountOf } from "../vault/vault-names";

export interface VaultClusterAccessArgs {
  /** Namespace of the reviewer's account; nothing runs there. */
  namespace: NamespaceArgs;
  /** Name of the stack, whose auth mount exists. */
  stack: string;
  /** Identifies the Vault, where another stack runs it. A new Vault at the same address does not know the cluster: it is configured again. */
  vaultId?: pulumi.Input<string> | undefined;
  /** `https://<address>:6443`, as Vault reaches it. */
  endpoint: pulumi.Input<string>;
  /** Certificate authority of the cluster, PEM. */
  ca: pulumi.Input<string>;
}

const REVIEWER = "vault-token-reviewer";

/** Lets service accounts of one cluster log in to Vault: Vault asks the cluster whether their tokens are valid. */
export class VaultClusterAccess extends Component {
  /** Path of the auth mount; known once it is configured. */
  readonly mount: pulumi.Output<string>;

  constructor(name: string, args: VaultClusterAccessArgs, opts?: pulumi.ComponentResourceOptions) {
    super("platform:VaultClusterAccess", name, opts);
    const config = new AuthBackendConfig(
      `${name}-config`,
      {
        backend: authMountOf(args.stack),
        kubernetesHost: args.endpoint,
        kubernetesCaCert: args.ca,
        tokenReviewerJwt: this.reviewerToken(name, args.namespace),
        // For its own cluster Vault would otherwise use its own pod's credentials.
        disableLocalCaJwt: true,
      },
      this.child<pulumi.CustomResourceOptions>({ ...(args.vaultId === undefined ? {} : { replacementTrigger: args.vaultId }) }),
    );
    this.mount = after(config, authMountOf(args.stack));
    this.registerOutputs({ mount: this.mount });
  }

  /** A token that may review other tokens and do nothing else. Secret. */
  private reviewerToken(name: string, namespaceArgs: NamespaceArgs): pulumi.Output<string> {
    const child = this.child();
    const { namespace } = new Namespace(`${name}-ns`, namespaceArgs, this.child());
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
      this.child({ dependsOn: [binding], additionalSecretOutputs: ["data"] }),
    );
    return pulumi.secret(token.data.apply((data) => Buffer.from(data?.["token"] ?? "", "base64").toString("utf8")));
  }
}
