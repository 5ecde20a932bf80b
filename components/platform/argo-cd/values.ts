/** Values of the chart argo-cd. */

import type { WantedSecret } from "../namespace-grants";
import type { ChartPin } from "../pins";
import type { DeliveredCluster } from "../place";
import { sized } from "../sized";
import { ARGO_CD_ACCESS_KEYS, argoCdAccessEntry } from "../vault/vault-names";
import { ADMIN_PASSWORD, type ArgoCdOptions, REDIS_PASSWORD, SERVER_KEY } from "./options";

const REPOSITORY = "https://argoproj.github.io/argo-helm";

export const ARGO_CD_CHARTS = {
  "10.1.1": { repository: REPOSITORY, name: "argo-cd", version: "10.1.1", why: "Argo CD v3.4.4: v2.13 is out of support" },
  "7.7.12": { repository: REPOSITORY, name: "argo-cd", version: "7.7.12", why: "version of the original system" },
} as const satisfies Record<ArgoCdOptions["version"], ChartPin>;

export const ARGO_CD_NAMESPACE = "argocd";

/** Also the prefix of the names of all that the chart makes. */
export const ARGO_CD_RELEASE = "argocd";

/** Full name under which it is reached. */
export const argoCdHost = ({ host }: Pick<ArgoCdOptions, "host">, { environment, domain }: { environment: string; domain: string }): string =>
  `${host ?? `${environment}.argocd`}.${domain}`;

/** Labels by which Argo CD recognizes what a Secret in its namespace is for. */
const kindOfSecret = (type: "cluster" | "repository") => ({ "app.kubernetes.io/part-of": "argocd", "argocd.argoproj.io/secret-type": type });

/** How Argo CD logs in at the repository, where it has to (https://argo-cd.readthedocs.io/en/stable/operator-manual/declarative-setup/#repositories). */
function repositorySecrets({ applications }: Pick<ArgoCdOptions, "applications">): WantedSecret[] {
  if (applications?.login === undefined) return [];
  const { repository, login } = applications;
  const { username, ...password } = login;
  const texts = { type: "git", url: repository, username, password: "{{ .password }}" };
  return [{ name: "repository-applications", labels: kindOfSecret("repository"), texts, data: { password } }];
}

/** The Secrets that Argo CD starts with, under the names that it looks for, and those that it finds by their labels. */
export function argoCdSecrets({ admin, applications }: Pick<ArgoCdOptions, "admin" | "applications">): WantedSecret[] {
  return [
    {
      name: "argocd-secret",
      // Argo CD ignores Secrets without this label.
      labels: { "app.kubernetes.io/part-of": "argocd" },
      data: { "server.secretkey": SERVER_KEY, ...(admin ? { "admin.password": ADMIN_PASSWORD } : {}) },
    },
    { name: "argocd-redis", data: { auth: REDIS_PASSWORD } },
    ...repositorySecrets({ applications }),
  ];
}

/**
 * The Secret by which Argo CD knows a cluster (https://argo-cd.readthedocs.io/en/stable/operator-manual/declarative-setup/#clusters). Vault
 * has the account's token and the authority, from the cluster's own stack; all else is said here, so that stack cannot point it elsewhere.
 * `quote` keeps a value in its place: `config` could name a program to run.
 */
export const clusterSecret = ({ stack, server, namespaces }: DeliveredCluster): WantedSecret => ({
  name: `cluster-${stack}`,
  labels: kindOfSecret("cluster"),
  texts: {
    name: stack,
    server,
    namespaces: namespaces.join(","),
    clusterResources: "false",
    config: '{"bearerToken":{{ .token | quote }},"tlsClientConfig":{"caData":{{ .caData | quote }}}}',
  },
  data: {
    token: { path: argoCdAccessEntry(stack), key: ARGO_CD_ACCESS_KEYS.token },
    caData: { path: argoCdAccessEntry(stack), key: ARGO_CD_ACCESS_KEYS.authority },
  },
  // That stack is built later, and may be destroyed.
  mayBeMissing: true,
});

const PROBED = { livenessProbe: { enabled: true }, readinessProbe: { enabled: true } };

export interface ArgoCdValuesArgs extends Pick<ArgoCdOptions, "version" | "admin" | "exec"> {
  /** Full name. */
  host: string;
  /** Whether it also delivers to other clusters, in which it may see only the applications' namespaces. */
  elsewhere: boolean;
}

export function argoCdValues({ version, host, admin, exec, elsewhere }: ArgoCdValuesArgs) {
  return {
    // Helm keeps the definitions when the release is deleted. Otherwise all Applications would go, with what they deployed.
    crds: { install: true, keep: true },
    global: {
      domain: host,
      // The namespace's policy comes from the flows that the module declares. The chart's lets everybody in.
      networkPolicy: { create: false },
    },
    configs: {
      cm: {
        "admin.enabled": admin,
        "exec.enabled": exec,
        "statusbadge.enabled": true,
        // It then watches the kinds that its account may see. Without this, one forbidden kind would stop it for all others.
        ...(elsewhere ? { "resource.respectRBAC": "normal" } : {}),
      },
      // TLS ends at the route.
      params: { "server.insecure": true, "application.namespaces": "*" },
      rbac: { "policy.default": "role:readonly" },
      secret: { createSecret: false },
    },
    // Its Job would generate a password.
    redisSecretInit: { enabled: false },
    dex: { enabled: false },
    redis: { ...PROBED, resources: sized("10m", "32Mi", "128Mi") },
    server: {
      // The chart's own path also asks the cluster: without its API every server would be restarted.
      ...(version === "7.7.12" ? {} : { livenessProbe: { httpPath: "/healthz" } }),
      resources: sized("100m", "128Mi", "512Mi"),
    },
    repoServer: { resources: sized("100m", "128Mi", "512Mi") },
    controller: { resources: sized("250m", "256Mi", "1Gi") },
    applicationSet: { ...PROBED, resources: sized("50m", "64Mi", "128Mi") },
    notifications: { ...PROBED, resources: sized("50m", "64Mi", "128Mi") },
  };
}
