import { Deployment } from "@pulumi/kubernetes/apps/v1/deployment";
import { ServiceAccount } from "@pulumi/kubernetes/core/v1/serviceAccount";
import type { Provider as KubernetesProvider } from "@pulumi/kubernetes/provider";
import { ClusterRole } from "@pulumi/kubernetes/rbac/v1/clusterRole";
import { ClusterRoleBinding } from "@pulumi/kubernetes/rbac/v1/clusterRoleBinding";
import type * as pulumi from "@pulumi/pulumi";
import type { Provider as VaultProvider } from "@pulumi/vault/provider";
import { Component, timeouts } from "../base/component";
import { Namespace } from "../base/namespace";
import { SecretAccess, type WantedSecret } from "./secret-access";

/** Version of the original system, which has no chart for it. */
const EXTERNAL_DNS_IMAGE = "registry.k8s.io/external-dns/external-dns:v0.14.1";

const NAMESPACE = "external-dns";
const INSTANCE = "external-dns-pihole";
const LABELS = { "app.kubernetes.io/name": "external-dns", "app.kubernetes.io/instance": INSTANCE };

const PASSWORD: WantedSecret = {
  name: INSTANCE,
  data: { EXTERNAL_DNS_PIHOLE_PASSWORD: { path: "cluster-secret-store/secrets/EXTERNAL_DNS_PIHOLE_PASSWORD", key: "PIHOLE_PASSWORD" } },
};

export interface ExternalDnsArgs {
  stack: string;
  /** Only names below it are written. */
  domain: string;
  piholeUrl: string;
  vaultAddress: pulumi.Input<string>;
  authMount: pulumi.Input<string>;
  /** Where Vault keeps an entry for this environment. Default: the common place. */
  vaultPath?: ((path: string) => string) | undefined;
}

/** Arguments of the container. Ingresses are the only source: other kinds would need CRDs that most clusters do not have. */
export function externalDnsArguments(args: Pick<ExternalDnsArgs, "domain" | "piholeUrl">): string[] {
  return [
    "--provider=pihole",
    `--pihole-server=${args.piholeUrl}`,
    "--source=ingress",
    `--domain-filter=${args.domain}`,
    // Pi-hole keeps no owners of records, and seven clusters write into one: none may delete what it does not know.
    "--registry=noop",
    "--policy=upsert-only",
    "--interval=1m",
    "--log-level=info",
  ];
}

/**
 * Names of this cluster's routes in Pi-hole. Nothing is written to public DNS: every address here is a private one.
 */
export class ExternalDns extends Component {
  constructor(name: string, args: ExternalDnsArgs, kubernetes: KubernetesProvider, vault: VaultProvider, opts?: pulumi.ComponentResourceOptions) {
    super("platform:ExternalDns", name, opts);
    const { namespace } = new Namespace(`${name}-ns`, { name: NAMESPACE }, kubernetes, { parent: this });
    const access = new SecretAccess(
      `${name}-secrets`,
      {
        stack: args.stack,
        namespace,
        namespaceName: NAMESPACE,
        vaultAddress: args.vaultAddress,
        authMount: args.authMount,
        vaultPath: args.vaultPath,
        secrets: [PASSWORD],
      },
      kubernetes,
      vault,
      { parent: this },
    );
    const binding = this.viewer(name, namespace, kubernetes);
    new Deployment(
      `${name}-deployment`,
      {
        metadata: { name: INSTANCE, namespace, labels: LABELS },
        spec: {
          replicas: 1,
          // Two at once would undo each other's records.
          strategy: { type: "Recreate" },
          selector: { matchLabels: LABELS },
          template: {
            metadata: { labels: LABELS },
            spec: {
              serviceAccountName: INSTANCE,
              securityContext: { runAsNonRoot: true, runAsUser: 65534, fsGroup: 65534, seccompProfile: { type: "RuntimeDefault" } },
              containers: [
                {
                  name: "external-dns",
                  image: EXTERNAL_DNS_IMAGE,
                  args: externalDnsArguments(args),
                  // Read at its start. It ends when Pi-hole refuses a password, and its container starts with the Secret of that day.
                  envFrom: [{ secretRef: { name: PASSWORD.name } }],
                  ports: [{ name: "http", containerPort: 7979 }],
                  livenessProbe: { httpGet: { path: "/healthz", port: "http" }, initialDelaySeconds: 10 },
                  readinessProbe: { httpGet: { path: "/healthz", port: "http" } },
                  resources: { requests: { cpu: "10m", memory: "32Mi" }, limits: { memory: "128Mi" } },
                  securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ["ALL"] } },
                },
              ],
            },
          },
        },
      },
      this.child({ provider: kubernetes, dependsOn: [access, binding], customTimeouts: timeouts(10) }),
    );
    this.registerOutputs({});
  }

  /** May look at what routes there are, and at nothing else. */
  private viewer(name: string, namespace: pulumi.Output<string>, provider: KubernetesProvider): ClusterRoleBinding {
    const child = this.child({ provider });
    const account = new ServiceAccount(`${name}-account`, { metadata: { name: INSTANCE, namespace } }, child);
    const role = new ClusterRole(
      `${name}-viewer`,
      {
        metadata: { name: INSTANCE },
        rules: [{ apiGroups: ["networking.k8s.io"], resources: ["ingresses"], verbs: ["get", "list", "watch"] }],
      },
      child,
    );
    return new ClusterRoleBinding(
      `${name}-viewer-binding`,
      {
        metadata: { name: `${INSTANCE}-viewer` },
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: role.metadata.name },
        subjects: [{ kind: "ServiceAccount", name: account.metadata.name, namespace }],
      },
      child,
    );
  }
}
