import { CustomResource } from "@pulumi/kubernetes/apiextensions/customResource";
import * as pulumi from "@pulumi/pulumi";
import { Component } from "./component";

const API = "monitoring.coreos.com/v1";
/** Definitions of the kinds that it makes, as a module's `crds` name them. */
export const MONITORING_KINDS = {
  services: "servicemonitors.monitoring.coreos.com",
  pods: "podmonitors.monitoring.coreos.com",
  rules: "prometheusrules.monitoring.coreos.com",
} as const;

export interface MetricsEndpoint {
  /** Name of the port of the Service or of the container. */
  readonly port: string;
  /** Default `/metrics`. */
  readonly path?: string;
  /** Default `30s`. */
  readonly interval?: string;
}

export interface AlertRule {
  readonly alert: string;
  /** PromQL. */
  readonly expr: string;
  /** How long it must hold, such as `5m`. */
  readonly for: string;
  readonly severity: "warning" | "critical";
  /** What is wrong, and what to do. May hold `{{ $labels.… }}`. */
  readonly summary: string;
}

export interface MonitoringArgs {
  readonly namespace: pulumi.Input<string>;
  /** Labels of the Services or pods that are scraped. */
  readonly selector: Readonly<Record<string, string>>;
  /** Endpoints of Services. */
  readonly services?: readonly MetricsEndpoint[];
  /** Endpoints of pods that no Service has. */
  readonly pods?: readonly MetricsEndpoint[];
  /** By group. */
  readonly rules?: Readonly<Record<string, readonly AlertRule[]>>;
  /** Definitions that the environment has (`Place.kinds`). No object is made of a kind that is not among them. */
  readonly kinds: readonly string[];
}

const endpointOf = ({ port, path = "/metrics", interval = "30s" }: MetricsEndpoint) => ({ port, path, interval });

const ruleOf = ({ alert, expr, for: duration, severity, summary }: AlertRule) => ({
  alert,
  expr,
  for: duration,
  labels: { severity },
  annotations: { summary },
});

/** @throws pulumi.InputPropertyError for an alert that two rules have: the second would hide the first */
function validateMonitoring({ rules = {} }: MonitoringArgs): void {
  const names = Object.values(rules).flatMap((group) => group.map(({ alert }) => alert));
  const twice = names.find((alert, index) => names.indexOf(alert) !== index);
  if (twice !== undefined) throw new pulumi.InputPropertyError({ propertyPath: "rules", reason: `two rules are called ${twice}` });
}

/** What Prometheus scrapes, and its alerts. Objects are made only where the environment has Prometheus' kinds. */
export class Monitoring extends Component {
  constructor(name: string, args: MonitoringArgs, opts?: pulumi.ComponentResourceOptions) {
    validateMonitoring(args);
    super("base:Monitoring", name, opts);
    const make = (kind: keyof typeof MONITORING_KINDS, what: string, suffix: string, spec: object): void => {
      if (!args.kinds.includes(MONITORING_KINDS[kind])) return;
      new CustomResource(`${name}-${suffix}`, { apiVersion: API, kind: what, metadata: { name, namespace: args.namespace }, spec }, this.child());
    };
    const selector = { matchLabels: { ...args.selector } };
    if (args.services !== undefined) make("services", "ServiceMonitor", "services", { selector, endpoints: args.services.map(endpointOf) });
    if (args.pods !== undefined) make("pods", "PodMonitor", "pods", { selector, podMetricsEndpoints: args.pods.map(endpointOf) });
    if (args.rules !== undefined) {
      const groups = Object.entries(args.rules).map(([group, rules]) => ({ name: group, rules: rules.map(ruleOf) }));
      make("rules", "PrometheusRule", "rules", { groups });
    }
    this.registerOutputs({});
  }
}
