/**
 * The objects by which Argo CD finds applications (app of apps). The program registers a root for each environment. Below it, in Git, are
 * the environment's project and ApplicationSet. Pure; loads no Pulumi SDK.
 *
 * A project allows only what applications need: the namespaces that the program has made for them, and the kinds that an application
 * consists of. Namespaces, network policies and rights stay with the program.
 */
import type { z } from "zod";
import { APPLICATION_KINDS } from "../../apps/app-kinds";
import type { applicationsOptions } from "./options";
import { rootName } from "./root-name";
import { ARGO_CD_NAMESPACE } from "./values";

export type ApplicationsOptions = z.output<typeof applicationsOptions>;

const API = "argoproj.io/v1alpha1";
/** The cluster that Argo CD runs in. */
export const OWN_CLUSTER = "https://kubernetes.default.svc";
/** Of the root: its set and its project are deleted with it. What the set's Applications have deployed stays. */
const FINALIZER = "resources-finalizer.argocd.argoproj.io";

/** Five retries, after 5, 10, 20 … seconds, at most 3 minutes apart. */
const RETRY = { limit: 5, backoff: { duration: "5s", factor: 2, maxDuration: "3m" } };

interface ProjectArgs {
  readonly name: string;
  readonly description: string;
  readonly repository: string;
  /** The cluster's address, as Argo CD names it. */
  readonly server: string;
  readonly namespaces: readonly string[];
  readonly kinds: readonly { readonly group: string; readonly kind: string }[];
}

const project = ({ name, description, repository, server, namespaces, kinds }: ProjectArgs) => ({
  apiVersion: API,
  kind: "AppProject",
  metadata: { name, namespace: ARGO_CD_NAMESPACE },
  spec: {
    description,
    sourceRepos: [repository],
    destinations: namespaces.map((namespace) => ({ server, namespace })),
    clusterResourceWhitelist: [],
    namespaceResourceWhitelist: kinds.map(({ group, kind }) => ({ group, kind })),
  },
});

/**
 * What the program registers, once Argo CD's definitions exist.
 * @param environment whose applications they are
 * @param home environment that Argo CD runs in
 */
export function rootObjects(environment: string, home: string, { repository, revision, path }: ApplicationsOptions) {
  const root = rootName(environment, home);
  return [
    project({
      name: root,
      description: "the project and the set of applications, and nothing else",
      repository,
      server: OWN_CLUSTER,
      namespaces: [ARGO_CD_NAMESPACE],
      kinds: ["AppProject", "Application", "ApplicationSet"].map((kind) => ({ group: "argoproj.io", kind })),
    }),
    {
      apiVersion: API,
      kind: "Application",
      metadata: { name: root, namespace: ARGO_CD_NAMESPACE, finalizers: [FINALIZER] },
      spec: {
        project: root,
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
  /** The cluster's address, as Argo CD names it. */
  readonly server: string;
  /** Whether a person starts each sync: nothing is synced automatically. */
  readonly byHand: boolean;
}

/** What the root reads from Git: the project first, since the set's Applications belong to it. */
export function environmentObjects({ environment, apps, server, byHand }: DeliveredApps, { repository, revision, path }: ApplicationsOptions) {
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
      // An application that leaves the set keeps running. The program takes it over, or it is deleted with its namespace.
      syncPolicy: { preserveResourcesOnDeletion: true },
      template: {
        metadata: { name: `{{ .app }}-${environment}` },
        spec: {
          project: environment,
          source: { repoURL: repository, targetRevision: revision, path: `${path}/${environment}/{{ .app }}` },
          destination: { server, namespace: "{{ .app }}" },
          syncPolicy: {
            ...(byHand ? {} : { automated: { prune: true, selfHeal: true } }),
            // A ConfigMap is deleted once no replica reads it. Objects of another Application are not taken over. The program makes namespaces:
            // with CreateNamespace, Argo CD would try to make a missing one without its policies, and the project forbids that.
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
        server,
        namespaces: apps,
        kinds: APPLICATION_KINDS,
      }),
      "-1",
    ),
    wave(set(), "0"),
  ];
}
