import { builtModule, graphOf, PLACE, releaseDefaults, releaseOf } from "../../../tests/support/module-build";
import { only, plain } from "../../../tests/support/pulumi-mocks";
import { MONITORING_KINDS } from "../../base/monitoring";
import { loki } from "./module";

const OFF = { enabled: false };

test("it is its pinned chart with one process and a volume, and nothing that the chart would add", async () => {
  const registered = await builtModule(loki);
  expect(graphOf(registered)).toEqual({
    "kubernetes:core/v1:Namespace loki-ns-namespace": "given-cluster",
    "kubernetes:helm.sh/v3:Release loki-release": "given-cluster after loki-ns-namespace",
    "kubernetes:core/v1:ConfigMap loki-source": "given-cluster after loki-ns-namespace",
  });
  expect(releaseOf(registered)).toEqual({
    ...releaseDefaults,
    name: "loki",
    namespace: "loki",
    chart: "loki",
    version: "18.11.0",
    repositoryOpts: { repo: "https://grafana-community.github.io/helm-charts" },
    values: {
      deploymentMode: "Monolithic",
      loki: {
        auth_enabled: false,
        commonConfig: { replication_factor: 1 },
        storage: { type: "filesystem" },
        schemaConfig: {
          configs: [{ from: "2026-01-01", store: "tsdb", object_store: "filesystem", schema: "v13", index: { prefix: "index_", period: "24h" } }],
        },
        distributor: {
          otlp_config: { default_resource_attributes_as_index_labels: ["k8s.cluster.name", "k8s.namespace.name", "k8s.container.name", "service.name"] },
        },
        limits_config: { retention_period: "168h" },
        compactor: { retention_enabled: true, delete_request_store: "filesystem" },
        analytics: { reporting_enabled: false },
      },
      singleBinary: {
        replicas: 1,
        persistence: { storageClass: "local-path", size: "20Gi" },
        podDisruptionBudget: OFF,
        resources: { requests: { cpu: "100m", memory: "256Mi" }, limits: { memory: "1Gi" } },
      },
      read: { replicas: 0 },
      write: { replicas: 0 },
      backend: { replicas: 0 },
      gateway: OFF,
      chunksCache: OFF,
      resultsCache: OFF,
      lokiCanary: OFF,
      test: OFF,
      sidecar: { rules: OFF },
      ruler: OFF,
    },
  });
});

test("how long logs are kept and where are options; who keeps them deletes them", () => {
  const options = loki.options.parse({ storageClass: "longhorn", size: "5Gi", retentionDays: 2 });
  const { values, storageClasses, volumes } = loki.parts(options, PLACE);
  expect([storageClasses, volumes]).toEqual([["longhorn"], [{ name: "logs", size: "5Gi", disposable: true }]]);
  expect(values["loki"]).toMatchObject({
    loki: { limits_config: { retention_period: "48h" }, compactor: { retention_enabled: true } },
    singleBinary: { persistence: { storageClass: "longhorn", size: "5Gi" } },
  });
  expect(loki.options.safeParse({ retentionDays: 0 }).success).toBe(false);
});

test("Grafana and Prometheus reach it and nobody else, since it has no login; so it has no host name", () => {
  const { flows, hosts } = loki.parts(loki.options.parse({}), PLACE);
  expect(hosts).toEqual([]);
  expect(flows.filter(({ port }) => port === 3100).map(({ direction, peer }) => [direction, peer])).toEqual([["in", "monitoring"]]);
});

test("Grafana finds it by its ConfigMap, and Prometheus measures its pods where there is Prometheus", async () => {
  const registered = await builtModule(loki, { place: { kinds: Object.values(MONITORING_KINDS) } });
  const { metadata, data } = plain(only(registered, "kubernetes:core/v1:ConfigMap").inputs) as { metadata: object; data: Record<string, string> };
  expect(metadata).toEqual({ name: "grafana-source-loki", namespace: "loki", labels: { grafana_datasource: "1" } });
  expect(JSON.parse(data["loki.yaml"] ?? "")).toEqual({
    apiVersion: 1,
    datasources: [{ name: "Loki", uid: "loki", type: "loki", access: "proxy", url: "http://loki.loki.svc:3100", editable: false, jsonData: expect.anything() }],
  });
  expect(only(registered, "kubernetes:monitoring.coreos.com/v1:PodMonitor").inputs["spec"]).toEqual({
    selector: { matchLabels: { "app.kubernetes.io/name": "loki", "app.kubernetes.io/instance": "loki" } },
    podMetricsEndpoints: [{ port: "http-metrics", path: "/metrics", interval: "30s" }],
  });
});
