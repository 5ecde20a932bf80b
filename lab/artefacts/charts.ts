/** Stand-ins for charts (data/charts.yaml): rendered for a provider without helm, and as charts that a real helm installs. */
import * as fs from "node:fs";
import * as path from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { projectRoot } from "../../common/paths";

const columnSchema = z.strictObject({ name: z.string(), type: z.string(), jsonPath: z.string() });
const crdSchema = z.strictObject({
  group: z.string(),
  plural: z.string(),
  kind: z.string(),
  scope: z.enum(["Namespaced", "Cluster"]),
  versions: z.array(z.string()),
  columns: z.array(columnSchema).optional(),
});
const workloadSchema = z.strictObject({
  kind: z.enum(["Deployment", "StatefulSet", "DaemonSet"]),
  name: z.string(),
  component: z.string(),
  image: z.string(),
  port: z.number().optional(),
  serviceName: z.string().optional(),
});
const chartSchema = z.strictObject({
  repository: z.string(),
  name: z.string(),
  version: z.string(),
  appVersion: z.string(),
  crds: z.array(crdSchema),
  accounts: z.array(z.string()),
  /** Account that the chart's cluster role is bound to. */
  controllerRole: z.string().optional(),
  workloads: z.array(workloadSchema),
  services: z.array(z.strictObject({ name: z.string(), selects: z.string(), port: z.number(), headless: z.boolean().optional() })),
});

export type Chart = z.infer<typeof chartSchema>;
type Manifest = Record<string, unknown>;

let charts: Chart[] | undefined;
export function allCharts(): Chart[] {
  charts ??= z.array(chartSchema).parse(parse(fs.readFileSync(path.join(projectRoot(), "lab", "artefacts", "data", "charts.yaml"), "utf8")));
  return charts;
}

export function findChart(repository: string, name: string, version: string | undefined): Chart | undefined {
  const plain = repository.replace(/\/+$/, "");
  return allCharts().find(
    (chart) => chart.repository === plain && chart.name === name && (version === undefined || version === "" || chart.version === version),
  );
}

export function crdManifests(chart: Chart): Manifest[] {
  return chart.crds.map(({ group, plural, kind, scope, versions, columns }) => ({
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope,
      names: { plural, kind, singular: kind.toLowerCase(), listKind: `${kind}List` },
      versions: versions.map((version, i) => ({
        name: version,
        served: true,
        storage: i === 0,
        schema: { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
        subresources: { status: {} },
        ...(columns ? { additionalPrinterColumns: [...columns, { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" }] } : {}),
      })),
    },
  }));
}

/** @param release name of the release, @param namespace its namespace; a real helm fills in its own placeholders */
export function manifests(chart: Chart, release: string, namespace: string): Manifest[] {
  const labels = (component: string): Record<string, string> => ({
    "app.kubernetes.io/name": chart.name,
    "app.kubernetes.io/instance": release,
    "app.kubernetes.io/component": component,
    "helm.sh/chart": `${chart.name}-${chart.version}`,
  });
  const select = (workload: string): Record<string, string> => ({ "app.kubernetes.io/instance": release, "homelab.lab/workload": workload });
  const accounts = chart.accounts.map(
    (name): Manifest => ({ apiVersion: "v1", kind: "ServiceAccount", metadata: { name, namespace, labels: labels("account") } }),
  );
  const roles: Manifest[] =
    chart.controllerRole === undefined
      ? []
      : [
          {
            apiVersion: "rbac.authorization.k8s.io/v1",
            kind: "ClusterRole",
            metadata: { name: `${chart.controllerRole}-controller`, labels: labels("rbac") },
            rules: [{ apiGroups: ["*"], resources: ["*"], verbs: ["*"] }],
          },
          {
            apiVersion: "rbac.authorization.k8s.io/v1",
            kind: "ClusterRoleBinding",
            metadata: { name: `${chart.controllerRole}-controller`, labels: labels("rbac") },
            roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: `${chart.controllerRole}-controller` },
            subjects: [{ kind: "ServiceAccount", name: chart.controllerRole, namespace }],
          },
        ];
  const services = chart.services.map(
    ({ name, selects, port, headless }): Manifest => ({
      apiVersion: "v1",
      kind: "Service",
      metadata: { name, namespace, labels: labels("service") },
      spec: {
        ...(headless ? { clusterIP: "None" } : { type: "ClusterIP" }),
        selector: select(selects),
        ports: [{ name: "main", port, targetPort: port, protocol: "TCP" }],
      },
    }),
  );
  const workloads = chart.workloads.map(
    ({ kind, name, component, image, port, serviceName }): Manifest => ({
      apiVersion: "apps/v1",
      kind,
      metadata: { name, namespace, labels: labels(component) },
      spec: {
        ...(kind === "DaemonSet" ? {} : { replicas: 1 }),
        ...(kind === "StatefulSet" ? { serviceName: serviceName ?? name } : {}),
        selector: { matchLabels: select(name) },
        template: {
          metadata: { labels: { ...labels(component), ...select(name) } },
          spec: {
            serviceAccountName: chart.accounts.find((account) => account === name || account === `${name}-sa`) ?? "default",
            containers: [{ name, image, ...(port === undefined ? {} : { ports: [{ containerPort: port }] }) }],
          },
        },
      },
    }),
  );
  return [...accounts, ...roles, ...services, ...workloads];
}
