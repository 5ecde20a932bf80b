/** The chart opentelemetry-collector, as the hub and the boxes use it. */
import { spreadOf } from "../../base/spread";
import { CREDENTIALS_ANNOTATION } from "../credentials-annotation";
import type { ChartPin } from "../pins";
import type { sized } from "../sized";

export const COLLECTOR_CHART = {
  repository: "https://open-telemetry.github.io/opentelemetry-helm-charts",
  name: "opentelemetry-collector",
  version: "0.170.0",
  why: "collector 0.158 (contrib), whose components have the names that these configurations use",
} as const satisfies ChartPin;

export const OTLP_GRPC_PORT = 4317;
export const OTLP_HTTP_PORT = 4318;
export const COLLECTOR_METRICS_PORT = 8888;
/** Name of the container's port of its own metrics. */
export const METRICS = "metrics";
/** Reference to an environment variable in the collector's configuration. */
export const variable = (name: string): string => `\${env:${name}}`;
/** Its own address: it listens there and nowhere else. */
export const OWN_ADDRESS = variable("MY_POD_IP");

/** A variable of the pod's environment with a key of a Secret. */
export const fromSecret = (name: string, secret: string, key: string) => ({ name, valueFrom: { secretKeyRef: { name: secret, key } } });
/** A variable with a field of the pod. */
export const fromField = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { fieldPath } } });

/** Parts of every configuration: the probes use `health_check`, and Prometheus scrapes the metrics. */
export const HEALTH_CHECK = { health_check: { endpoint: `${OWN_ADDRESS}:13133` } } as const;
export const OWN_METRICS = {
  metrics: { readers: [{ pull: { exporter: { prometheus: { host: OWN_ADDRESS, port: COLLECTOR_METRICS_PORT } } } }] },
} as const;
/** Refuses data before the container reaches its memory limit. Senders retry. */
export const MEMORY_LIMITER = { memory_limiter: { check_interval: "1s", limit_percentage: 80, spike_limit_percentage: 25 } } as const;

const OFF = { enabled: false } as const;
/** Ports of protocols that are not used here. */
const OTHER_PORTS = { "jaeger-compact": OFF, "jaeger-thrift": OFF, "jaeger-grpc": OFF, zipkin: OFF } as const;

/** @typeParam T text, or an output of one */
export interface CollectorValuesArgs<T> {
  /** Name of the workload and its Service. */
  readonly name: string;
  readonly mode: "deployment" | "daemonset";
  /** The collector's configuration. Nothing is added to it. */
  readonly config: object;
  readonly environment: readonly object[];
  readonly ports: { readonly "otlp-grpc": boolean; readonly "otlp-http": boolean };
  readonly resources: ReturnType<typeof sized>;
  /** Default 1. More than one: spread over machines, with a budget. */
  readonly replicas?: number;
  /** Digest of the credentials: the pods restart when it changes. */
  readonly credentialMark: T;
  /** It runs as root, to read root's files on the machine, but without capabilities. Default false. */
  readonly asRoot?: boolean;
  /** It uses the cluster's API. Default false. */
  readonly asksTheApi?: boolean;
}

const REPLICATED = (name: string, replicas: number) =>
  replicas < 2
    ? {}
    : {
        replicaCount: replicas,
        podDisruptionBudget: { enabled: true, minAvailable: 1 },
        topologySpreadConstraints: spreadOf({ "app.kubernetes.io/instance": name }),
      };

export function collectorValues<T>({ name, mode, config, environment, ports, resources, credentialMark, ...more }: CollectorValuesArgs<T>) {
  const { replicas = 1, asRoot = false, asksTheApi = false } = more;
  return {
    mode,
    fullnameOverride: name,
    image: { repository: "docker.io/otel/opentelemetry-collector-contrib" },
    command: { name: "otelcol-contrib" },
    // Replaces the chart's own configuration. Otherwise both would be merged, and the chart's opens ports of five protocols.
    alternateConfig: config,
    extraEnvs: environment,
    ports: {
      ...OTHER_PORTS,
      otlp: { enabled: ports["otlp-grpc"] },
      "otlp-http": { enabled: ports["otlp-http"] },
      [METRICS]: { enabled: true },
    },
    ...REPLICATED(name, replicas),
    serviceAccount: { automountServiceAccountToken: asksTheApi },
    podAnnotations: { [CREDENTIALS_ANNOTATION]: credentialMark },
    podSecurityContext: asRoot ? { seccompProfile: { type: "RuntimeDefault" } } : { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
    securityContext: {
      ...(asRoot ? { runAsUser: 0 } : { runAsUser: 10001 }),
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    },
    resources,
  };
}
