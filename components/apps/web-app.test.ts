import { Provider } from "@pulumi/kubernetes/provider";
import { mockEngine, only, plain, settle } from "../../tests/support/pulumi-mocks";
import { appManifests } from "./app-manifests";
import type { Manifest } from "./app-spec";
import { argoCdManifest, ownAnnotations } from "./argo-cd-manifest";
import { WebApp, type WebAppArgs } from "./web-app";

const ARGS: WebAppArgs = {
  namespace: { name: "ascii" },
  image: "registry.fullstack.pw/library/ascii-frontend:1.0.0",
  ports: [{ name: "http", port: 80, host: "dev.ascii.fullstack.pw" }],
  probes: { ready: "/", live: "port" },
  replicas: 2,
  routes: { kind: "ingress", className: "traefik" },
  issuer: "letsencrypt-prod",
};

async function build(args: WebAppArgs) {
  const registered = await mockEngine();
  const app = new WebApp("ascii", args, { providers: { kubernetes: new Provider("k8s", { kubeconfig: "{}" }) } });
  await settle(registered);
  return { registered, app };
}

test("an application is a namespace, a Deployment, a Service and a route with a certificate", async () => {
  const { registered, app } = await build(ARGS);
  expect(only(registered, "kubernetes:core/v1:Namespace").inputs["metadata"]).toEqual({ name: "ascii", labels: { "app.kubernetes.io/managed-by": "homelab" } });
  expect(only(registered, "kubernetes:apps/v1:Deployment").inputs["spec"]).toMatchObject({
    replicas: 2,
    selector: { matchLabels: { "app.kubernetes.io/name": "ascii" } },
    template: {
      spec: {
        automountServiceAccountToken: false,
        topologySpreadConstraints: [{ topologyKey: "kubernetes.io/hostname", labelSelector: { matchLabels: { "app.kubernetes.io/name": "ascii" } } }],
        containers: [
          {
            image: ARGS.image,
            ports: [{ name: "http", containerPort: 80 }],
            readinessProbe: { httpGet: { path: "/", port: 80 }, initialDelaySeconds: 5, periodSeconds: 10 },
            livenessProbe: { tcpSocket: { port: 80 }, initialDelaySeconds: 15, periodSeconds: 20 },
            resources: { requests: { cpu: "100m", memory: "128Mi" }, limits: { memory: "256Mi" } },
            securityContext: { allowPrivilegeEscalation: false },
          },
        ],
      },
    },
  });
  expect(only(registered, "kubernetes:core/v1:Service").inputs["spec"]).toEqual({
    selector: { "app.kubernetes.io/name": "ascii" },
    ports: [{ name: "http", port: 80, targetPort: "http" }],
  });
  expect(only(registered, "kubernetes:networking.k8s.io/v1:Ingress").inputs).toMatchObject({
    metadata: { name: "ascii-http", namespace: "ascii", annotations: { "cert-manager.io/cluster-issuer": "letsencrypt-prod" } },
    spec: {
      ingressClassName: "traefik",
      tls: [{ hosts: ["dev.ascii.fullstack.pw"], secretName: "ascii-http-tls" }],
      rules: [
        { host: "dev.ascii.fullstack.pw", http: { paths: [{ path: "/", pathType: "Prefix", backend: { service: { name: "ascii", port: { number: 80 } } } }] } },
      ],
    },
  });
  const url = await new Promise((resolve) => {
    app.url("http").apply(resolve);
  });
  expect(url).toBe("https://dev.ascii.fullstack.pw");
});

test("a port without a host name has no route", async () => {
  const { registered, app } = await build({ ...ARGS, ports: [{ name: "http", port: 80 }] });
  expect(registered.filter((r) => r.type === "kubernetes:networking.k8s.io/v1:Ingress")).toEqual([]);
  expect(() => app.url("http")).toThrow('the port "http" has no host name');
});

test("a user id makes the pod run without root", async () => {
  const { registered } = await build({
    ...ARGS,
    runAsUser: 65534,
    writable: ["/cache"],
    probes: { ready: "/", live: "/live", port: 9000 },
    environment: { MODE: "x" },
  });
  expect(only(registered, "kubernetes:apps/v1:Deployment").inputs["spec"]).toMatchObject({
    template: {
      spec: {
        securityContext: { runAsNonRoot: true, runAsUser: 65534, fsGroup: 65534 },
        volumes: [{ name: "writable-0", emptyDir: {} }],
        containers: [
          {
            env: [{ name: "MODE", value: "x" }],
            livenessProbe: { httpGet: { path: "/live", port: 9000 } },
            volumeMounts: [{ name: "writable-0", mountPath: "/cache" }],
          },
        ],
      },
    },
  });
});

test("a container has values of its environment as they are, and secret ones by the key of its Secret", () => {
  const { namespace: _, image, ...rest } = ARGS;
  const environment = { MODE: "x", PASSWORD: { secret: { path: "store/secrets/DB", key: "PG_PASSWORD" } } };
  const manifests = appManifests({ ...rest, name: "ascii", image: String(image), environment }, { namespace: "ascii", routes: ARGS.routes, issuer: "own" });
  const deployment = manifests.find(({ manifest }) => manifest.kind === "Deployment")?.manifest;
  const { containers } = (deployment as unknown as { spec: { template: { spec: { containers: { env: unknown }[] } } } }).spec.template.spec;
  expect(containers.map(({ env }) => env)).toEqual([
    [
      { name: "MODE", value: "x" },
      { name: "PASSWORD", valueFrom: { secretKeyRef: { name: "ascii-secrets", key: "PASSWORD" } } },
    ],
  ]);
});

test.each([
  ["Ingress ascii-http", ARGS.routes],
  ["VirtualService ascii-http", { kind: "istio", gateway: "istio-system/default-gateway" } as const],
])("what it registers is what a renderer would write, and nothing else beside its namespace: %s", async (route, routes) => {
  const app = { ...ARGS, routes, probes: { ready: "/ok", live: "port", port: 9000 }, writable: ["/cache"], runAsUser: 1000, environment: { A: "b" } } as const;
  const { registered } = await build({ ...app, ports: [...ARGS.ports, { name: "metrics", port: 9000 }] });
  const place = { namespace: "ascii", routes: app.routes, issuer: String(app.issuer) };
  const { namespace: _, image, ...rest } = app;
  const manifests = appManifests({ ...rest, name: "ascii", image, ports: [...ARGS.ports, { name: "metrics", port: 9000 }] }, place).map(
    ({ manifest }) => manifest,
  );
  expect(manifests.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual(["Deployment ascii", "PodDisruptionBudget ascii", "Service ascii", route]);
  const own = registered
    .filter(({ type }) => /:(Deployment|PodDisruptionBudget|Service|Ingress|VirtualService)$/.test(type))
    .map(({ inputs }) => plain(inputs));
  // Objects that do not depend on each other are registered in any order.
  const byKind = (objects: readonly unknown[]) => (objects as { kind: string }[]).toSorted((a, b) => a.kind.localeCompare(b.kind));
  expect(byKind(own)).toEqual(byKind(JSON.parse(JSON.stringify(manifests))));
});

test("what Argo CD reads differs by its annotations alone, and orders configuration, hooks, replicas and routes", () => {
  const app = {
    ...ARGS,
    name: "ascii",
    config: { LEVEL: "debug", LINE: "$(LEVEL) $5" },
    serviceAccount: {},
    hooks: { migrate: { when: "before", command: ["./migrate"] }, smoke: { when: "after", command: ["./smoke"] } },
  } as const;
  const staged = appManifests(app, { namespace: "ascii", routes: ARGS.routes, issuer: "own" });
  const rendered = staged.map(argoCdManifest);
  const told = rendered.map(({ kind, metadata }) =>
    [kind, ...Object.entries(metadata.annotations ?? {}).filter(([key]) => key.startsWith("argocd"))].flat().join(" "),
  );
  expect(told.map((text) => text.replaceAll("argocd.argoproj.io/", ""))).toEqual([
    "ServiceAccount sync-wave -1",
    "ConfigMap sync-wave -1",
    "Job hook PreSync hook-delete-policy BeforeHookCreation",
    "Deployment sync-wave 0",
    "PodDisruptionBudget sync-wave 0",
    "Service sync-wave 0",
    "Ingress sync-wave 1",
    "Job hook PostSync hook-delete-policy BeforeHookCreation",
  ]);
  const bare = (manifest: Manifest) => {
    const annotations = ownAnnotations(manifest.metadata.annotations);
    const { annotations: _, ...metadata } = manifest.metadata;
    return JSON.parse(
      JSON.stringify({ ...manifest, metadata: { ...metadata, ...(Object.keys(annotations).length === 0 ? {} : { annotations }) } }).replaceAll(
        /,"(env|volumes|volumeMounts)":\[\]/g,
        "",
      ),
    );
  };
  expect(rendered.map(bare)).toEqual(staged.map(({ manifest }) => bare(manifest)));
  // A hook before the sync reads nothing that the sync makes.
  const job = rendered.find(({ metadata }) => metadata.name === "ascii-migrate");
  expect(JSON.stringify(job)).not.toMatch(/configMap|serviceAccountName/);
  expect(JSON.stringify(job)).toContain('{"name":"LEVEL","value":"debug"}');
  // A variable of the ConfigMap is never replaced by another, so neither is one of the hook.
  expect(JSON.stringify(job)).toContain('{"name":"LINE","value":"$$(LEVEL) $5"}');
});

test("an application in hand-over has all its objects, none of which is deleted when it leaves the program; its namespace stays the program's", async () => {
  const delivered = { ...ARGS, config: { LEVEL: "debug" } };
  const kept = async (delivery: NonNullable<WebAppArgs["delivery"]>) => {
    const { registered } = await build({ ...delivered, delivery });
    const own = registered.filter(({ type }) => /^(kubernetes:(core|apps|policy)|homelab:base:WebIngress)/.test(type));
    return own.map(({ type, retainOnDelete }) => `${type.split(":").at(-1)} ${retainOnDelete}`).toSorted();
  };
  expect(await kept("hand-over")).toEqual([
    "ConfigMap true",
    "Deployment true",
    "Namespace false",
    "PodDisruptionBudget true",
    "Service true",
    // Its children inherit `retainOnDelete` in the engine.
    "WebIngress true",
  ]);
  const direct = await kept("pulumi");
  expect(direct.filter((line) => line.endsWith(" true"))).toEqual([]);
  expect(direct).toHaveLength(6);
});

test("an application that Argo CD delivers has its namespace and its Secret of the program, and nothing else", async () => {
  const secrets: NonNullable<WebAppArgs["secrets"]> = (namespaceName, namespace, wanted) => ({
    ...{
      namespaceName,
      namespace,
      vaultAddress: "https://vault.example.org",
      authority: undefined,
      authMount: "kubernetes/dev",
      ownEntries: new Map(),
      secrets: wanted,
    },
  });
  const environment = { PASSWORD: { secret: { path: "store/secrets/DB", key: "PASSWORD" } } };
  const { registered, app } = await build({ ...ARGS, environment, secrets, delivery: "argo-cd" });
  const kinds = registered.filter(({ custom }) => custom).map(({ type }) => type.split(":").at(-1));
  expect(kinds.filter((kind) => kind !== "kubernetes").toSorted()).toEqual(["ClusterSecretStore", "ExternalSecret", "Namespace", "ServiceAccount"]);
  expect(only(registered, "kubernetes:external-secrets.io/v1:ExternalSecret").inputs).toMatchObject({
    metadata: { name: "ascii-secrets" },
    spec: { data: [{ secretKey: "PASSWORD", remoteRef: { key: "store/secrets/DB", property: "PASSWORD" } }] },
  });
  const url = await new Promise((resolve) => {
    app.url("http").apply(resolve);
  });
  expect(url).toBe("https://dev.ascii.fullstack.pw");
});
