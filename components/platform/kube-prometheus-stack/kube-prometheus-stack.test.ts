import { builtModule, graphOf, PLACE, releaseDefaults, releaseOf } from "../../../tests/support/module-build";
import { only, plain } from "../../../tests/support/pulumi-mocks";
import { MONITORING_KINDS } from "../../base/monitoring";
import { ALERTS } from "./alerts";
import { kubePrometheusStack } from "./module";
import type { KubePrometheusStackOptions } from "./options";

const EXTERNAL_SECRET = "kubernetes:external-secrets.io/v1:ExternalSecret";
const NS = "kube-prometheus-stack-ns-namespace";
const ROLE = "kube-prometheus-stack-grafana-role";
const RELEASE = "kube-prometheus-stack-release";
const STORE = "kube-prometheus-stack-secrets-store";

const memory = (cpu: string, requested: string, limit: string) => ({ requests: { cpu, memory: requested }, limits: { memory: limit } });
const claim = (storage: string) => ({
  volumeClaimTemplate: { spec: { storageClassName: "local-path", accessModes: ["ReadWriteOnce"], resources: { requests: { storage } } } },
});

test("Grafana looks for ConfigMaps in all namespaces, and may read no Secret there", async () => {
  const role = (await builtModule(kubePrometheusStack)).find(({ type }) => type === "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole");
  expect(role && plain(role.inputs)).toMatchObject({
    metadata: { name: "grafana-reads-configmaps" },
    rules: [{ apiGroups: [""], resources: ["configmaps"], verbs: ["get", "list", "watch"] }],
  });
});

test("it is its pinned chart, after the Secrets that it starts with, with its dashboard and Grafana's route", async () => {
  const registered = await builtModule(kubePrometheusStack);
  const secrets = ["alertmanager-receivers", "grafana-admin", "reader", "store"].map((name) => `kube-prometheus-stack-secrets-${name}`);
  expect(graphOf(registered)).toEqual({
    [`kubernetes:core/v1:Namespace ${NS}`]: "given-cluster",
    "kubernetes:core/v1:ServiceAccount kube-prometheus-stack-secrets-reader": `given-cluster after ${NS}`,
    [`kubernetes:external-secrets.io/v1:ClusterSecretStore ${STORE}`]: `given-cluster after ${NS}, kube-prometheus-stack-secrets-reader`,
    [`${EXTERNAL_SECRET} kube-prometheus-stack-secrets-grafana-admin`]: `given-cluster after ${NS}, ${STORE}`,
    [`${EXTERNAL_SECRET} kube-prometheus-stack-secrets-alertmanager-receivers`]: `given-cluster after ${NS}, ${STORE}`,
    [`kubernetes:helm.sh/v3:Release ${RELEASE}`]: `given-cluster after ${ROLE}, ${NS}, ${secrets.join(", ")}`,
    [`kubernetes:rbac.authorization.k8s.io/v1:ClusterRole ${ROLE}`]: "given-cluster",
    "kubernetes:core/v1:ConfigMap kube-prometheus-stack-overview": `given-cluster after ${NS}`,
    "kubernetes:networking.k8s.io/v1:Ingress kube-prometheus-stack-grafana-ingress": `given-cluster after ${NS}, ${RELEASE}`,
  });
  const { values, ...release } = releaseOf(registered);
  expect(release).toEqual({
    ...releaseDefaults,
    name: "kube-prometheus-stack",
    namespace: "monitoring",
    chart: "kube-prometheus-stack",
    version: "88.5.3",
    repositoryOpts: { repo: "https://prometheus-community.github.io/helm-charts" },
  });
  const { alertmanager, ...others } = values as { alertmanager: { config: object } };
  expect(others).toEqual({
    crds: { enabled: false },
    defaultRules: {
      rules: { etcd: false, kubeControllerManager: false, kubeProxy: false, kubeSchedulerAlerting: false, kubeSchedulerRecording: false, windows: false },
    },
    kubeControllerManager: { enabled: false },
    kubeScheduler: { enabled: false },
    kubeProxy: { enabled: false },
    kubeEtcd: { enabled: false },
    coreDns: { enabled: false },
    prometheusOperator: {
      admissionWebhooks: { certManager: { enabled: true } },
      resources: memory("20m", "64Mi", "256Mi"),
      prometheusConfigReloader: { resources: memory("10m", "32Mi", "64Mi") },
    },
    prometheus: {
      prometheusSpec: {
        externalLabels: { cluster: "dev" },
        scrapeClasses: [{ name: "own-cluster", default: true, relabelings: [{ targetLabel: "cluster", replacement: "dev" }] }],
        enableRemoteWriteReceiver: true,
        tsdb: { outOfOrderTimeWindow: "30m" },
        retention: "15d",
        retentionSize: "17408MB",
        storageSpec: claim("20Gi"),
        resources: memory("200m", "512Mi", "2Gi"),
        serviceMonitorSelectorNilUsesHelmValues: false,
        podMonitorSelectorNilUsesHelmValues: false,
        probeSelectorNilUsesHelmValues: false,
        ruleSelectorNilUsesHelmValues: false,
        scrapeConfigSelectorNilUsesHelmValues: false,
      },
    },
    grafana: {
      rbac: { useExistingClusterRole: "grafana-reads-configmaps" },
      admin: { existingSecret: "grafana-admin", userKey: "admin-user", passwordKey: "admin-password" },
      persistence: { enabled: false },
      defaultDashboardsTimezone: "browser",
      "grafana.ini": {
        server: { root_url: "https://grafana.example.org" },
        users: { allow_sign_up: false },
        analytics: { check_for_updates: false, reporting_enabled: false },
      },
      sidecar: {
        dashboards: { multicluster: { global: { enabled: true } }, resource: "configmap" },
        datasources: { searchNamespace: "ALL", resource: "configmap" },
        resources: memory("10m", "64Mi", "128Mi"),
      },
      testFramework: { enabled: false },
      resources: memory("50m", "128Mi", "512Mi"),
    },
    "kube-state-metrics": { resources: memory("10m", "64Mi", "256Mi") },
    "prometheus-node-exporter": {
      securityContext: { runAsNonRoot: true, runAsUser: 65534, runAsGroup: 65534, fsGroup: 65534, seccompProfile: { type: "RuntimeDefault" } },
      containerSecurityContext: { readOnlyRootFilesystem: true, allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
      resources: memory("20m", "32Mi", "128Mi"),
    },
  });
  expect(alertmanager).toEqual({
    config: alertmanager.config,
    alertmanagerSpec: { secrets: ["alertmanager-receivers"], storage: claim("1Gi"), resources: memory("10m", "32Mi", "128Mi") },
  });
});

test("volumes and how long metrics stay are options; the room for metrics follows the volume", () => {
  const options: KubePrometheusStackOptions = kubePrometheusStack.options.parse({ storageClass: "longhorn", size: "512Mi", retentionDays: 3 });
  const { values, storageClasses } = kubePrometheusStack.parts(options, PLACE);
  expect(storageClasses).toEqual(["longhorn"]);
  expect(values["kube-prometheus-stack"]).toMatchObject({
    prometheus: {
      prometheusSpec: { retention: "3d", retentionSize: "435MB", storageSpec: { volumeClaimTemplate: { spec: { storageClassName: "longhorn" } } } },
    },
    alertmanager: { alertmanagerSpec: { storage: { volumeClaimTemplate: { spec: { storageClassName: "longhorn" } } } } },
  });
  expect(kubePrometheusStack.options.safeParse({ retentionDays: 0 }).success).toBe(false);
});

test("its Secrets come from Vault: Grafana's user, and where alerts go", async () => {
  const registered = await builtModule(kubePrometheusStack);
  const data = registered.filter(({ type }) => type === EXTERNAL_SECRET).map(({ inputs }) => (inputs["spec"] as { data: unknown }).data);
  const from = (secretKey: string, entry: string, property: string) => ({
    secretKey,
    remoteRef: { key: `cluster-secret-store/secrets/${entry}`, property },
  });
  expect(data).toEqual([
    [from("admin-user", "GRAFANA", "GRAFANA_USER"), from("admin-password", "GRAFANA", "GRAFANA_PASSWORD")],
    [from("people", "ALERTING", "ALERT_WEBHOOK_URL"), from("heartbeat", "ALERTING", "ALERT_HEARTBEAT_URL")],
  ]);
});

interface Config {
  route: { receiver: string; routes: { receiver: string; matchers: string[]; repeat_interval?: string }[] };
  receivers: { name: string; webhook_configs?: { url_file: string }[] }[];
}

test("every alert reaches people but the one that is always there, which goes to whoever tells them when it stops", () => {
  const { values } = kubePrometheusStack.parts(kubePrometheusStack.options.parse({}), PLACE);
  const { config } = (values["kube-prometheus-stack"] as unknown as { alertmanager: { config: Config } }).alertmanager;
  expect(config.route.receiver).toBe("people");
  expect(config.route.routes.map(({ receiver, matchers }) => [receiver, matchers])).toEqual([
    ["heartbeat", ['alertname = "Watchdog"']],
    ["nobody", ['alertname = "InfoInhibitor"']],
  ]);
  expect(config.route.routes[0]?.repeat_interval).toBe("5m");
  expect(config.receivers.map(({ name, webhook_configs: hooks = [] }) => [name, ...hooks.map(({ url_file }) => url_file)])).toEqual([
    ["people", "/etc/alertmanager/secrets/alertmanager-receivers/people"],
    ["heartbeat", "/etc/alertmanager/secrets/alertmanager-receivers/heartbeat"],
    ["nobody"],
  ]);
});

test("its alerts are a PrometheusRule where there is the operator", async () => {
  const registered = await builtModule(kubePrometheusStack, { place: { kinds: Object.values(MONITORING_KINDS) } });
  const { spec } = plain(only(registered, "kubernetes:monitoring.coreos.com/v1:PrometheusRule").inputs) as { spec: { groups: { name: string }[] } };
  expect(spec.groups.map(({ name }) => name)).toEqual(Object.keys(ALERTS));
});
