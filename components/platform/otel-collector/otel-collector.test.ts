import { builtModule, graphOf, PLACE, releaseDefaults, releaseOf } from "../../../tests/support/module-build";
import { only, plain } from "../../../tests/support/pulumi-mocks";
import { MONITORING_KINDS } from "../../base/monitoring";
import { hubAlerts } from "./alerts";
import { hubConfig } from "./config";
import { otelCollector } from "./module";

const SENDERS = { dev: { path: "store/DEV", key: "P" }, "far-away": { path: "store/FAR", key: "Q" } };
const built = (place = {}) => builtModule(otelCollector, { options: { senders: SENDERS }, place });

test("it is its pinned chart, after the Secret with the senders' passwords, and has a route", async () => {
  const registered = await built();
  const NS = "otel-collector-ns-namespace";
  const STORE = "otel-collector-secrets-store";
  expect(graphOf(registered)).toEqual({
    [`kubernetes:core/v1:Namespace ${NS}`]: "given-cluster",
    "kubernetes:core/v1:ServiceAccount otel-collector-secrets-reader": `given-cluster after ${NS}`,
    [`kubernetes:external-secrets.io/v1:ClusterSecretStore ${STORE}`]: `given-cluster after ${NS}, otel-collector-secrets-reader`,
    "kubernetes:external-secrets.io/v1:ExternalSecret otel-collector-secrets-senders": `given-cluster after ${NS}, ${STORE}`,
    "kubernetes:helm.sh/v3:Release otel-collector-release": `given-cluster after ${NS}, otel-collector-secrets-reader, otel-collector-secrets-senders, ${STORE}`,
    "kubernetes:networking.k8s.io/v1:Ingress otel-collector-otlp-ingress": `given-cluster after ${NS}, otel-collector-release`,
  });
  const { values, ...release } = releaseOf(registered);
  expect(release).toEqual({
    ...releaseDefaults,
    name: "otel-collector",
    namespace: "telemetry",
    chart: "opentelemetry-collector",
    version: "0.170.0",
    repositoryOpts: { repo: "https://open-telemetry.github.io/opentelemetry-helm-charts" },
  });
  const OFF = { enabled: false };
  expect(values).toEqual({
    mode: "deployment",
    fullnameOverride: "otel-collector",
    image: { repository: "docker.io/otel/opentelemetry-collector-contrib" },
    command: { name: "otelcol-contrib" },
    alternateConfig: hubConfig(["dev", "far-away"]),
    extraEnvs: [
      { name: "PASSWORD_OF_DEV", valueFrom: { secretKeyRef: { name: "senders", key: "dev" } } },
      { name: "PASSWORD_OF_FAR_AWAY", valueFrom: { secretKeyRef: { name: "senders", key: "far-away" } } },
    ],
    ports: {
      otlp: OFF,
      "otlp-http": { enabled: true },
      metrics: { enabled: true },
      "jaeger-compact": OFF,
      "jaeger-thrift": OFF,
      "jaeger-grpc": OFF,
      zipkin: OFF,
    },
    replicaCount: 2,
    podDisruptionBudget: { enabled: true, minAvailable: 1 },
    topologySpreadConstraints: [
      {
        maxSkew: 1,
        topologyKey: "kubernetes.io/hostname",
        whenUnsatisfiable: "ScheduleAnyway",
        labelSelector: { matchLabels: { "app.kubernetes.io/instance": "otel-collector" } },
      },
    ],
    serviceAccount: { automountServiceAccountToken: false },
    podAnnotations: { "homelab/credentials": expect.stringMatching(/^[0-9a-f]{24}$/) },
    podSecurityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
    securityContext: { runAsUser: 10001, allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ["ALL"] } },
    resources: { requests: { cpu: "100m", memory: "256Mi" }, limits: { memory: "1Gi" } },
  });
});

test("its only receiver asks for user and password, and each sender has a line of its own; no password stands in the configuration", () => {
  const config = hubConfig(["dev", "far-away"]);
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the collector's own variables
  expect(config.receivers).toEqual({ otlp: { protocols: { http: { endpoint: "${env:MY_POD_IP}:4318", auth: { authenticator: "basicauth/senders" } } } } });
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the collector's own variables
  expect(config.extensions["basicauth/senders"]).toEqual({ htpasswd: { inline: "dev:${env:PASSWORD_OF_DEV}\nfar-away:${env:PASSWORD_OF_FAR_AWAY}\n" } });
  expect(otelCollector.options.safeParse({ senders: {} }).success).toBe(false);
});

test("whatever comes says who has sent it, before anything is put together with what others send", () => {
  const { processors, service } = hubConfig(["dev"]);
  expect(processors["resource/sender"]).toEqual({ attributes: [{ key: "k8s.cluster.name", from_context: "auth.username", action: "upsert" }] });
  expect(processors["attributes/sender"]).toEqual({ actions: [{ key: "cluster", from_context: "auth.username", action: "upsert" }] });
  for (const { processors: order } of Object.values(service.pipelines))
    expect(order.map((name) => name.split("/")[1] ?? name)).toEqual(["memory_limiter", "sender", "batch"]);
});

test("everything that a pipeline names is there, and all that is there is used", () => {
  const { extensions, receivers, processors, exporters, service } = hubConfig(["dev"]);
  const used = (part: "receivers" | "processors" | "exporters") =>
    [...new Set(Object.values(service.pipelines).flatMap((pipeline) => pipeline[part]))].toSorted();
  expect(used("receivers")).toEqual(Object.keys(receivers));
  expect(used("processors")).toEqual(Object.keys(processors).toSorted());
  expect(used("exporters")).toEqual(Object.keys(exporters).toSorted());
  expect(service.extensions.toSorted()).toEqual(Object.keys(extensions).toSorted());
});

test("it reaches the three stores and is reached by routes and Prometheus", () => {
  const { flows, namespaceSecrets } = otelCollector.parts(otelCollector.options.parse({ senders: SENDERS }), PLACE);
  expect(flows.map(({ direction, peer, port }) => `${direction} ${peer} ${port}`)).toEqual([
    "in routes 4318",
    "in monitoring 8888",
    "out tracing 4318",
    "out loki 3100",
    "out monitoring 9090",
  ]);
  expect(namespaceSecrets).toEqual([{ namespace: "telemetry", wanted: [{ name: "senders", data: SENDERS }] }]);
});

test("each environment that sends metrics has an alert for its silence, and the hub's own has none: nobody would hear it", async () => {
  const registered = await built({ environment: "far-away", kinds: Object.values(MONITORING_KINDS) });
  const { spec } = plain(only(registered, "kubernetes:monitoring.coreos.com/v1:PrometheusRule").inputs) as {
    spec: { groups: { name: string; rules: { alert: string }[] }[] };
  };
  expect(spec.groups.map(({ name, rules }) => [name, rules.map(({ alert }) => alert)])).toEqual([
    ["boxes", ["BoxSilent_dev"]],
    ["collector", ["CollectorCannotDeliver", "CollectorRefusesForMemory"]],
  ]);
  expect(hubAlerts(["a-b"])["boxes"]?.[0]?.expr).toBe('absent(up{cluster="a-b"})');
});
