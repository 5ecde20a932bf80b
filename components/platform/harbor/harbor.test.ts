import { builtModule, graphOf, PLACE, releaseDefaults, releaseOf } from "../../../tests/support/module-build";
import { only, plain } from "../../../tests/support/pulumi-mocks";
import { harbor } from "./module";

const SETS = "kubernetes:core/v1:Secret";
const built = (options = {}) => builtModule(harbor, { options });

test("database, queues, token and Secrets are there before its parts; its route before what is in it", async () => {
  const graph = graphOf(await built());
  expect(graph["kubernetes:helm.sh/v3:Release harbor-release"]).toBe(
    "given-cluster after harbor-credentials-secret, harbor-database-database, harbor-database-login-secret, harbor-database-owner-secret, harbor-database-role, harbor-ns-namespace, harbor-token, harbor-valkey-login-secret, harbor-valkey-service",
  );
  expect(graph["command:local:Command harbor-set-up"]).toMatch(/^given-command after .*harbor-ingress/);
});

test("nothing of its values is made up anew at a render: each is a Secret of ours, and its database and Redis are", async () => {
  const registered = await built();
  const release = releaseOf(registered) as { values: Record<string, Record<string, unknown>> };
  expect(release).toMatchObject({
    ...releaseDefaults,
    name: "harbor",
    namespace: "harbor",
    chart: "harbor",
    version: "1.19.1",
    timeout: 900,
    repositoryOpts: { repo: "https://helm.goharbor.io" },
  });
  expect(release.values).toMatchObject({
    expose: { type: "clusterIP", tls: { enabled: false } },
    externalURL: "https://registry.example.org",
    existingSecretAdminPassword: "harbor-credentials",
    existingSecretSecretKey: "harbor-credentials",
    updateStrategy: { type: "Recreate" },
    core: { existingSecret: "harbor-credentials", secretName: "harbor-token", existingXsrfSecret: "harbor-credentials" },
    jobservice: { existingSecret: "harbor-credentials" },
    registry: { existingSecret: "harbor-credentials", credentials: { username: "harbor_registry_user", existingSecret: "harbor-credentials" } },
    database: { type: "external", external: { host: "postgres-rw.postgres.svc", coreDatabase: "registry", username: "registry", sslmode: "require" } },
    redis: { type: "external", external: { addr: "harbor-valkey:6379", existingSecret: "harbor-valkey-login" } },
    trivy: { enabled: true },
  });
  expect(Object.keys(plain(only(registered, SETS, "harbor-credentials-secret").inputs["stringData"]) as object).toSorted()).toEqual([
    "CSRF_KEY",
    "HARBOR_ADMIN_PASSWORD",
    "JOBSERVICE_SECRET",
    "REGISTRY_HTPASSWD",
    "REGISTRY_HTTP_SECRET",
    "REGISTRY_PASSWD",
    "secret",
    "secretKey",
  ]);
  expect(only(registered, "kubernetes:cert-manager.io/v1:Certificate").inputs["spec"]).toMatchObject({ privateKey: { rotationPolicy: "Never" } });
});

test("what is in it goes to its set-up on standard input, and nowhere else", async () => {
  const { inputs } = only(await built(), "command:local:Command", "harbor-set-up");
  expect(JSON.stringify(inputs["stdin"])).toContain("1b47061264138c4ac30d75fd1eb44270");
  const task = JSON.parse(String(plain(inputs["stdin"]))) as { address: string; projects: unknown[]; robots: unknown[] };
  expect(task).toEqual({
    address: "https://registry.example.org",
    password: "cluster-secret-store/secrets/HARBOR_FIRST HARBOR_ADMIN_PASSWORD",
    projects: [
      { name: "library", public: true, keep: 20 },
      { name: "docker-hub", public: true, limit: "10Gi", proxyOf: { name: "docker-hub", kind: "docker-hub", url: "https://hub.docker.com" } },
      { name: "ghcr", public: true, limit: "10Gi", proxyOf: { name: "github-ghcr", kind: "github-ghcr", url: "https://ghcr.io" } },
    ],
    robots: [{ name: "pipelines", projects: { library: "push" }, secret: "cluster-secret-store/secrets/HARBOR_KEY HARBOR_KEY" }],
  });
  expect(plain(inputs["create"])).toBe("node bin/components/platform/harbor/set-up.main.js");
});

test("it reaches the registries whose images it keeps, and no others; without scanning there is no Trivy", () => {
  const parts = harbor.parts(harbor.options.parse({ scan: false, projects: { quay: { proxyOf: "quay" } }, robots: {} }), PLACE);
  expect(parts.flows.filter(({ direction }) => direction === "out").map(({ peer }) => peer)).toEqual(["postgres", "https://quay.io"]);
  expect(parts.workloads.map(({ name }) => name)).not.toContain("trivy");
  expect(parts.volumes.map(({ name }) => name)).toEqual(["images", "logs of jobs", "queues"]);
});

test.each([
  [{ robots: { ci: { projects: { shop: "push" }, path: "p", key: "k" } } }, "ci reaches the project shop, which is not among those that are made"],
  [
    { projects: { hub: { proxyOf: "docker-hub" } }, robots: { ci: { projects: { hub: "push" }, path: "p", key: "k" } } },
    "ci pushes to the project hub, which holds copies of another registry",
  ],
  [{ projects: { Shop: {} } }, "must be a project's name"],
  [{ projects: { shop: { proxyOf: "nowhere" } } }, "Invalid option"],
])("refused: %j", (options, message) => {
  expect(() => harbor.options.parse(options)).toThrow(message);
});
