/**
 * What Argo CD is told of applications: a root that the program registers, and below it, in Git, the project and the set of each
 * environment (app of apps). Pure; loads no Pulumi SDK.
 *
 * A project gives what is in it no more than applications need: the namespaces that the program has made for them, and the kinds that a
 * description makes. Namespaces, network policies and rights stay the program's.
 */
import type { z } from "zod";
import type { applicationsOptions } from "./options";
import { ARGO_CD_NAMESPACE } from "./values";

export type ApplicationsOptions = z.output<typeof applicationsOptions>;

const API = "argoproj.io/v1alpha1";
/** The cluster that Argo CD runs in. */
const OWN_CLUSTER = "https://kubernetes.default.svc";
/** Deletes what an Application has made when it goes itself. */
const FINALIZER = "resources-finalizer.argocd.argoproj.io";
export const ROOT = "applications";

/** Five times, after 5, 10, 20 … seconds, 3 minutes at most. */
const RETRY = { limit: 5, backoff: { duration: "5s", factor: 2, maxDuration: "3m" } };

/** Kinds that an application is made of (components/apps/app-manifests.ts). */
const APPLICATION_KINDS = [
  { group: "", kind: "ConfigMap" },
  { group: "", kind: "Service" },
  { group: "", kind: "ServiceAccount" },
  { group: "apps", kind: "Deployment" },
  { group: "autoscaling", kind: "HorizontalPodAutoscaler" },
  { group: "batch", kind: "Job" },
  { group: "networking.istio.io", kind: "VirtualService" },
  { group: "networking.k8s.io", kind: "Ingress" },
  { group: "policy", kind: "PodDisruptionBudget" },
] as const;

interface ProjectArgs {
  readonly name: string;
  readonly description: string;
  readonly repository: string;
  readonly namespaces: readonly string[];
  readonly kinds: readonly { readonly group: string; readonly kind: string }[];
}

const project = ({ name, description, repository, namespaces, kinds }: ProjectArgs) => ({
  apiVersion: API,
  kind: "AppProject",
  metadata: { name, namespace: ARGO_CD_NAMESPACE },
  spec: {
    description,
    sourceRepos: [repository],
    destinations: namespaces.map((namespace) => ({ server: OWN_CLUSTER, namespace })),
    clusterResourceWhitelist: [],
    namespaceResourceWhitelist: kinds.map((kind) => ({ ...kind })),
  },
});

/** What the program registers, once Argo CD's definitions are there. @param environment whose applications they are */
export function rootObjects(environment: string, { repository, revision, path }: ApplicationsOptions) {
  return [
    project({
      name: ROOT,
      description: "the project and the set of applications, and nothing else",
      repository,
      namespaces: [ARGO_CD_NAMESPACE],
      kinds: ["AppProject", "Application", "ApplicationSet"].map((kind) => ({ group: "argoproj.io", kind })),
    }),
    {
      apiVersion: API,
      kind: "Application",
      metadata: { name: ROOT, namespace: ARGO_CD_NAMESPACE, finalizers: [FINALIZER] },
      spec: {
        project: ROOT,
        source: { repoURL: repository, targetRevision: revision, path: `${path}/${environment}/argo-cd` },
        destination: { server: OWN_CLUSTER, namespace: ARGO_CD_NAMESPACE },
        syncPolicy: { automated: { prune: true, selfHeal: true }, syncOptions: ["ServerSideApply=true"], retry: RETRY },
      },
    },
  ];
}

export interface DeliveredApps {
  readonly environment: string;
  /** Names of the applications that Argo CD delivers; each is in the namespace of its name. */
  readonly apps: readonly string[];
  /** Whether each change needs a person's word: nothing is synced by itself. */
  readonly byHand: boolean;
}

/** What lies in Git for the root: the project first, since the set's Applications are in it. */
export function environmentObjects({ environment, apps, byHand }: DeliveredApps, { repository, revision, path }: ApplicationsOptions) {
  const wave = (manifest: ReturnType<typeof project> | ReturnType<typeof set>, order: string) => ({
    ...manifest,
    metadata: { ...manifest.metadata, annotations: { "argocd.argoproj.io/sync-wave": order } },
  });
  const set = () => ({
    apiVersion: API,
    kind: "ApplicationSet",
    metadata: { name: environment, namespace: ARGO_CD_NAMESPACE },
    spec: {
      goTemplate: true,
      goTemplateOptions: ["missingkey=error"],
      generators: [{ list: { elements: apps.map((app) => ({ app })) } }],
      template: {
        metadata: { name: `{{ .app }}-${environment}`, finalizers: [FINALIZER] },
        spec: {
          project: environment,
          source: { repoURL: repository, targetRevision: revision, path: `${path}/${environment}/{{ .app }}` },
          destination: { server: OWN_CLUSTER, namespace: "{{ .app }}" },
          syncPolicy: {
            ...(byHand ? {} : { automated: { prune: true, selfHeal: true } }),
            // A ConfigMap goes once no replica reads it; what another Application has is not taken over. Namespaces are the program's: with
            // CreateNamespace Argo CD would want to make one that is missing, without its policies, and the project forbids that.
            syncOptions: ["PruneLast=true", "ServerSideApply=true", "FailOnSharedResource=true"],
            retry: RETRY,
          },
        },
      },
    },
  });
  return [
    wave(
      project({
        name: environment,
        description: `applications of ${environment}`,
        repository,
        namespaces: apps,
        kinds: APPLICATION_KINDS,
      }),
      "-1",
    ),
    wave(set(), "0"),
  ];
}
