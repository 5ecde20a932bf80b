/** Which modules the platform has. Loads no Pulumi SDK. */
import type { z } from "zod";
import { argoCd } from "./argo-cd/module";
import { argoCdAccess } from "./argo-cd-access/module";
import { box } from "./box/module";
import { cdi } from "./cdi/module";
import { certManager } from "./cert-manager/module";
import { cloudNativePg } from "./cloudnative-pg/module";
import { clusterAccess } from "./cluster-access/module";
import { externalDns } from "./external-dns/module";
import { externalSecrets } from "./external-secrets/module";
import { githubRunners } from "./github-runners/module";
import { gitlabRunner } from "./gitlab-runner/module";
import { harbor } from "./harbor/module";
import { immich } from "./immich/module";
import { istio } from "./istio/module";
import { jaeger } from "./jaeger/module";
import { kubePrometheusStack } from "./kube-prometheus-stack/module";
import { kubevirt } from "./kubevirt/module";
import { kubevirtSessions } from "./kubevirt-sessions/module";
import { localPath } from "./local-path/module";
import { loki } from "./loki/module";
import { longhorn } from "./longhorn/module";
import { metallb } from "./metallb/module";
import { metricsServer } from "./metrics-server/module";
import { minio } from "./minio/module";
import { nats } from "./nats/module";
import { nginxIngress } from "./nginx-ingress/module";
import { otelCollector } from "./otel-collector/module";
import { postgres } from "./postgres/module";
import { prometheusOperatorCrds } from "./prometheus-operator-crds/module";
import { registry } from "./registry/module";
import { seaweedfs } from "./seaweedfs/module";
import { sharedSecrets } from "./shared-secrets/module";
import { snapshotController } from "./snapshot-controller/module";
import { stateBackup } from "./state-backup/module";
import { talosClusters } from "./talos-clusters/module";
import { teleportAgent } from "./teleport-agent/module";
import { traefik } from "./traefik/module";
import { valkey } from "./valkey/module";
import { vault } from "./vault/module";
import { vaultEntries } from "./vault-entries/module";

/** Of modules that do not depend on each other, the one that is listed first is built first. */
export const MODULES = [
  certManager,
  minio,
  seaweedfs,
  vault,
  vaultEntries,
  clusterAccess,
  externalSecrets,
  istio,
  externalDns,
  valkey,
  nats,
  cloudNativePg,
  postgres,
  harbor,
  githubRunners,
  gitlabRunner,
  sharedSecrets,
  argoCd,
  argoCdAccess,
  prometheusOperatorCrds,
  kubePrometheusStack,
  loki,
  jaeger,
  otelCollector,
  box,
  localPath,
  metallb,
  traefik,
  nginxIngress,
  metricsServer,
  snapshotController,
  longhorn,
  kubevirt,
  cdi,
  kubevirtSessions,
  immich,
  teleportAgent,
  registry,
  stateBackup,
  talosClusters,
] as const;

export type ModuleName = (typeof MODULES)[number]["name"];

type OptionsOf<K extends ModuleName> = z.input<Extract<(typeof MODULES)[number], { readonly name: K }>["options"]>;

/** A row of the matrix: the modules that run in an environment, each with its options. `{}` is the defaults. */
export type PlatformOptions = { readonly [K in ModuleName]?: OptionsOf<K> };
