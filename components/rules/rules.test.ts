import { appManifests } from "../apps/app-manifests";
import type { AppSpec, PatchOperation } from "../apps/app-spec";
import type { Container, Manifest, Pod } from "./manifest";
import { covers, objectViolations, RULE_NAMES, type RuleName, releaseViolations, setViolations, violationText } from "./rules";

const GOOD: Container = {
  name: "shop",
  image: "registry.example.org/shop:1.2.3",
  resources: { requests: { cpu: "10m", memory: "64Mi" }, limits: { memory: "128Mi" } },
  readinessProbe: { httpGet: { path: "/ready", port: 80 }, periodSeconds: 5 },
  livenessProbe: { httpGet: { path: "/live", port: 80 } },
  securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ["ALL"] } },
};
const POD: Pod = { containers: [GOOD], securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } } };

const deployment = (pod: Partial<Pod>, replicas = 1): Manifest => ({
  kind: "Deployment",
  metadata: { name: "shop", namespace: "shop" },
  spec: { replicas, template: { metadata: { labels: { app: "shop" } }, spec: { ...POD, ...pod } } },
});
const withContainer = (container: Partial<Container>): Manifest => deployment({ containers: [{ ...GOOD, ...container }] });
const withSecurity = (security: object): Manifest => withContainer({ securityContext: { ...GOOD.securityContext, ...security } });
const budget = (labels: object, namespace = "shop"): Manifest => ({
  kind: "PodDisruptionBudget",
  metadata: { name: "shop", namespace },
  spec: { maxUnavailable: 1, selector: { matchLabels: labels } },
});
const SPREAD = { topologySpreadConstraints: [{ maxSkew: 1 }] };

const judge = (manifests: readonly Manifest[]): string[] => [...manifests.flatMap(objectViolations), ...setViolations(manifests)].map(violationText);
const rulesOf = (manifests: readonly Manifest[]): RuleName[] => [...manifests.flatMap(objectViolations), ...setViolations(manifests)].map(({ rule }) => rule);

test("what keeps every rule has nothing said against it", () => {
  expect(judge([deployment({}), { kind: "Service", metadata: { name: "shop" } }])).toEqual([]);
  expect(judge([deployment(SPREAD, 2), budget({ app: "shop" })])).toEqual([]);
  expect(releaseViolations("shop", { image: { tag: "1.0" }, password: "own" })).toEqual([]);
});

/** For each rule, objects that break this rule only. */
const BROKEN: Record<RuleName, readonly Manifest[]> = {
  resources: [withContainer({ resources: { requests: { cpu: "10m" }, limits: { memory: "1Gi" } } })],
  readiness: [deployment({ containers: [{ ...GOOD, readinessProbe: undefined as never }] })],
  liveness: [deployment({ containers: [{ ...GOOD, livenessProbe: undefined as never }] })],
  "liveness-apart": [withContainer({ livenessProbe: { httpGet: { path: "/ready", port: 80 }, periodSeconds: 60 } })],
  "non-root": [withSecurity({ runAsUser: 0 })],
  "no-escalation": [withSecurity({ allowPrivilegeEscalation: true })],
  capabilities: [withSecurity({ capabilities: { drop: ["ALL"], add: ["NET_RAW"] } })],
  seccomp: [withSecurity({ seccompProfile: { type: "Unconfined" } })],
  "read-only-root": [withSecurity({ readOnlyRootFilesystem: undefined })],
  "host-access": [deployment({ hostNetwork: true })],
  "image-version": [withContainer({ image: "registry.example.org:5000/shop" })],
  spread: [deployment({}, 2), budget({ app: "shop" })],
  "disruption-budget": [deployment(SPREAD, 2), budget({ app: "other" }), budget({ app: "shop" }, "other")],
  "default-credentials": [{ kind: "Secret", metadata: { name: "shop" }, stringData: { password: "Harbor12345" } }],
};

test.each(RULE_NAMES)("the rule %s is broken by what breaks it, and no other is", (rule) => {
  expect(rulesOf(BROKEN[rule])).toEqual([rule]);
});

test.each<[string, Manifest, string[]]>([
  ["a limit that is not there", withContainer({ resources: { requests: { cpu: "1", memory: "1Gi" } } }), ["resources"]],
  ["nothing about root", deployment({ securityContext: { seccompProfile: { type: "RuntimeDefault" } } }), ["non-root"]],
  ["a container that drops nothing", withSecurity({ capabilities: {} }), ["capabilities"]],
  ["one that binds a low port", withSecurity({ capabilities: { drop: ["ALL"], add: ["NET_BIND_SERVICE"] } }), []],
  ["no profile", deployment({ securityContext: { runAsNonRoot: true } }), ["seccomp"]],
  ["latest by name", withContainer({ image: "shop:latest" }), ["image-version"]],
  ["a digest", withContainer({ image: `shop@sha256:${"0".repeat(64)}` }), []],
  ["an open port as a sign of life", withContainer({ livenessProbe: { tcpSocket: { port: 80 } }, readinessProbe: { tcpSocket: { port: 80 } } }), []],
  [
    "the same command for both",
    withContainer({ livenessProbe: { exec: { command: ["a"] } }, readinessProbe: { exec: { command: ["a"] } } }),
    ["liveness-apart"],
  ],
  ["a file of the host", deployment({ volumes: [{ hostPath: { path: "/" } }] }), ["host-access"]],
  [
    "all rights of the host, before the others begin",
    deployment({ initContainers: [{ ...GOOD, securityContext: { ...GOOD.securityContext, privileged: true } }] }),
    ["host-access"],
  ],
  [
    "a first container that ends, without probes",
    deployment({ initContainers: [{ ...GOOD, readinessProbe: undefined as never, livenessProbe: undefined as never }] }),
    [],
  ],
  ["a sidecar without probes", deployment({ initContainers: [{ ...GOOD, restartPolicy: "Always", livenessProbe: undefined as never }] }), ["liveness"]],
  ["an operator's object that asks for nothing", { apiVersion: "postgresql.cnpg.io/v1", kind: "Cluster", metadata: { name: "db" }, spec: {} }, ["resources"]],
  ["a Cluster of another group", { apiVersion: "cluster.x-k8s.io/v1beta1", kind: "Cluster", metadata: { name: "c" }, spec: {} }, []],
])("%s", (_, manifest, rules) => {
  expect(rulesOf([manifest])).toEqual(rules);
});

test.each(["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"])("the pods of a %s are judged", (kind) => {
  expect(rulesOf([{ ...withContainer({ livenessProbe: undefined as never }), kind }])).toEqual(["liveness"]);
});

test("what ends is not asked whether it is well, and stands in for nobody", () => {
  const { readinessProbe: _ready, livenessProbe: _alive, ...container } = GOOD;
  const job = { kind: "Job", metadata: { name: "j" }, spec: { template: { spec: { ...POD, containers: [container] } } } };
  const cron = {
    kind: "CronJob",
    metadata: { name: "c" },
    spec: { jobTemplate: { spec: { template: { spec: { ...POD, containers: [{ ...container, image: "a" }] } } } } },
  };
  expect(judge([job, cron])).toEqual(["c, container shop: has the image a (image-version: each image has a version or a digest, and none is latest)"]);
});

test("a release is judged by its values", () => {
  const values = { adminPassword: "Harbor12345", image: { repository: "a", tag: "latest" }, sidecar: "docker.io/b:latest", note: "the latest" };
  expect(releaseViolations("shop", values).map(({ rule, found }) => [rule, found])).toEqual([
    ["default-credentials", "adminPassword is the default of harbor"],
    ["image-version", "has latest at image.tag"],
    ["image-version", "has latest at sidecar"],
  ]);
});

test("an exception covers its rule, in its workload and its container", () => {
  const violation = { rule: "seccomp" as const, workload: "a", container: "b", found: "x" };
  const cases = [{}, { workload: "a" }, { workload: "a", container: "b" }, { workload: "b" }, { workload: "a", container: "c" }];
  expect(cases.map((one) => covers({ rule: "seccomp", why: "", ...one }, violation))).toEqual([true, true, true, false, false]);
  expect(covers({ rule: "liveness", why: "" }, violation)).toBe(false);
});

describe("an application", () => {
  const APP: AppSpec = {
    name: "shop",
    image: "registry.example.org/shop:1.2.3",
    ports: [{ name: "http", port: 8080, host: "shop.example.org" }],
    probes: { ready: "/readyz", live: "/livez" },
    replicas: 2,
    runAsUser: 1001,
    environment: { TOKEN: { secret: { path: "shop", key: "token" } } },
    config: { LOG_LEVEL: "INFO" },
    serviceAccount: {},
    hooks: { migrate: { when: "before", command: ["/app", "migrate"] } },
  };
  const objectsOf = (kind: string, operations: readonly PatchOperation[]): Manifest[] =>
    appManifests(
      { ...APP, ...(operations.length === 0 ? {} : { patches: [{ kind, operations, why: "a test" }] }) },
      { namespace: "shop", routes: { kind: "ingress", className: "traefik" }, issuer: "letsencrypt" },
    ).map(({ manifest }) => manifest as never);
  const [POD_AT, AT] = ["/spec/template/spec", "/spec/template/spec/containers/0"] as const;
  const set = (path: string, value: unknown): PatchOperation => ({ op: "add", path, value });
  const takeAway = (path: string): PatchOperation => ({ op: "remove", path });

  /** Rules for all containers. */
  const OF_ALL: Partial<Record<RuleName, PatchOperation>> = {
    resources: takeAway(`${AT}/resources/limits/memory`),
    "non-root": set(`${POD_AT}/securityContext/runAsUser`, 0),
    "no-escalation": set(`${AT}/securityContext/allowPrivilegeEscalation`, true),
    capabilities: set(`${AT}/securityContext/capabilities/add`, ["NET_ADMIN"]),
    seccomp: set(`${POD_AT}/securityContext/seccompProfile/type`, "Unconfined"),
    "read-only-root": set(`${AT}/securityContext/readOnlyRootFilesystem`, false),
    "host-access": set(`${POD_AT}/hostNetwork`, true),
    "image-version": set(`${AT}/image`, "registry.example.org/shop:latest"),
  };
  const OF_REPLICAS: Partial<Record<RuleName, PatchOperation>> = {
    readiness: takeAway(`${AT}/readinessProbe`),
    liveness: takeAway(`${AT}/livenessProbe`),
    "liveness-apart": set(`${AT}/livenessProbe/httpGet/path`, "/readyz"),
    spread: takeAway(`${POD_AT}/topologySpreadConstraints`),
  };
  const cases: [RuleName, string, PatchOperation][] = [
    ...Object.entries({ ...OF_ALL, ...OF_REPLICAS }).map(([rule, change]): [RuleName, string, PatchOperation] => [rule as RuleName, "Deployment", change]),
    ...Object.entries(OF_ALL).map(([rule, change]): [RuleName, string, PatchOperation] => [rule as RuleName, "Job", change]),
    ["disruption-budget", "PodDisruptionBudget", set("/spec/selector/matchLabels/app.kubernetes.io~1name", "other")],
  ];

  test("keeps every rule as it is described", () => {
    expect(judge(objectsOf("Deployment", []))).toEqual([]);
  });

  test.each(cases)("breaks the rule %s, and no other, by a change of its %s", (rule, kind, change) => {
    // A patch of a list's element must first test which one it is.
    const first: PatchOperation[] = change.path.startsWith(AT) ? [{ op: "test", path: `${AT}/name`, value: kind === "Job" ? "migrate" : "shop" }] : [];
    expect(rulesOf(objectsOf(kind, [...first, change]))).toEqual([rule]);
  });

  // Its passwords come from Vault, so none of its objects can contain one. The plan refuses one in plain text (app-secret-in-config.yaml).
  test("has a case for every rule but that about passwords", () => {
    expect([...new Set(cases.map(([rule]) => rule))].toSorted()).toEqual(RULE_NAMES.filter((rule) => rule !== "default-credentials").toSorted());
  });
});
