/** Values of the hub's collector. */
import type { WantedSecret } from "../namespace-grants";
import { sized } from "../sized";
import { collectorValues, fromSecret } from "./chart";
import { hubConfig, passwordVariable } from "./config";
import type { OtelCollectorOptions } from "./options";

export const TELEMETRY_NAMESPACE = "telemetry";
/** Name of the release, the Deployment and the Service. */
export const HUB_RELEASE = "otel-collector";
/** Labels that the chart gives its pods. */
export const HUB_PODS = { "app.kubernetes.io/name": "opentelemetry-collector", "app.kubernetes.io/instance": HUB_RELEASE } as const;
/** Secret with each sender's password, by its name. */
export const SENDERS_SECRET = "senders";

/** Full name to which boxes send. */
export const hubHost = (domain: string): string => `otel-collector.${domain}`;

export const sendersSecret = ({ senders }: Pick<OtelCollectorOptions, "senders">): WantedSecret => ({ name: SENDERS_SECRET, data: senders });

export function hubValues<T>({ senders, replicas }: OtelCollectorOptions, credentialMark: T) {
  const names = Object.keys(senders);
  return collectorValues({
    name: HUB_RELEASE,
    mode: "deployment",
    config: hubConfig(names),
    environment: names.map((name) => fromSecret(passwordVariable(name), SENDERS_SECRET, name)),
    ports: { "otlp-grpc": false, "otlp-http": true },
    resources: sized("100m", "256Mi", "1Gi"),
    replicas,
    credentialMark,
  });
}
