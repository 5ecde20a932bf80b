import { Provider as KubernetesProvider } from "@pulumi/kubernetes/provider";
import * as pulumi from "@pulumi/pulumi";
import { Provider as VaultProvider } from "@pulumi/vault/provider";
import { mockEngine, only, plain, type Registered, settle } from "../../tests/support/pulumi-mocks";
import { CertManager } from "./cert-manager";
import { ExternalDns } from "./external-dns";
import { namePattern } from "./external-dns/values";
import { ExternalSecrets } from "./external-secrets";
import { Minio } from "./minio";
import { SecretAccess } from "./secret-access";
import { flatKeys, SharedSecrets } from "./shared-secrets";
import { Vault } from "./vault";
import { VaultClusterAccess } from "./vault-cluster-access";
import { VaultEntries } from "./vault-entries";
import { VaultGrants } from "./vault-grants";
import { MANAGER_POLICY, managerPolicy, readPolicy, stackPolicy } from "./vault-policies";

interface Given {
  kubernetes: KubernetesProvider;
  vault: VaultProvider;
}

/** Builds something against the stand-in and gives what was registered, providers left out. */
async function build(make: (given: Given) => void): Promise<Registered[]> {
  const registered = await mockEngine();
  make({ kubernetes: new KubernetesProvider("k8s", { kubeconfig: "{}" }), vault: new VaultProvider("given-vault", { address: "https://vault" }) });
  await settle(registered);
  return registered.filter((r) => !(r.type.startsWith("pulumi:providers:") && ["k8s", "given-vault"].includes(r.name)));
}

const TYPES = {
  namespace: "kubernetes:core/v1:Namespace",
  secret: "kubernetes:core/v1:Secret",
  release: "kubernetes:helm.sh/v3:Release",
  ingress: "kubernetes:networking.k8s.io/v1:Ingress",
};
const release = (registered: Registered[]) => only(registered, TYPES.release).inputs;
/** Type and name of all that is not a component. */
const custom = (registered: Registered[]) => registered.filter((r) => !r.type.startsWith("homelab:")).map((r) => `${r.type} ${r.name}`);

test("cert-manager is its pinned chart, the token as a secret, and the issuer that uses it", async () => {
  const registered = await build(({ kubernetes }) => {
    new CertManager("cert-manager", { email: "a@b.pw", cloudflareToken: pulumi.secret("t0ken"), domain: "fullstack.pw" }, kubernetes);
  });
  expect(release(registered)).toMatchObject({
    name: "cert-manager",
    namespace: "cert-manager",
    chart: "cert-manager",
    version: "v1.16.2",
    repositoryOpts: { repo: "https://charts.jetstack.io" },
    atomic: true,
    skipAwait: false,
    timeout: 600,
    values: { crds: { enabled: true } },
  });
  const secret = only(registered, TYPES.secret).inputs;
  expect(JSON.stringify(secret["stringData"])).toContain("1b47061264138c4ac30d75fd1eb44270");
  expect(plain(secret["stringData"])).toEqual({ "api-token": "t0ken" });
  expect(only(registered, "kubernetes:cert-manager.io/v1:ClusterIssuer").inputs).toEqual({
    apiVersion: "cert-manager.io/v1",
    kind: "ClusterIssuer",
    metadata: { name: "letsencrypt-prod" },
    spec: {
      acme: {
        server: "https://acme-v02.api.letsencrypt.org/directory",
        email: "a@b.pw",
        privateKeySecretRef: { name: "letsencrypt-prod" },
        solvers: [
          { selector: { dnsZones: ["fullstack.pw"] }, dns01: { cloudflare: { apiTokenSecretRef: { name: "cloudflare-api-token", key: "api-token" } } } },
        ],
      },
    },
  });
});

test("External Secrets is its pinned chart with its CRDs", async () => {
  const registered = await build(({ kubernetes }) => {
    new ExternalSecrets("eso", kubernetes);
  });
  expect(release(registered)).toMatchObject({
    version: "0.12.1",
    repositoryOpts: { repo: "https://charts.external-secrets.io" },
    values: { installCRDs: true },
    atomic: true,
  });
});

const GRANTS = [
  { stack: "tools", writesCommon: true, namespaces: [] },
  {
    stack: "dev",
    writesCommon: false,
    namespaces: [{ namespace: "app", role: "app", reader: "vault-reader", paths: ["store/B", "environments/dev/store/A"] }],
  },
];

test("Vault is installed without waiting, booted, set up for the stack that manages it, and used with tokens of each stack's own", async () => {
  const registered = await build(({ kubernetes }) => {
    new Vault(
      "vault",
      {
        address: "https://vault.fullstack.pw",
        storageClass: "local-path",
        ingressClass: "traefik",
        issuer: "letsencrypt-prod",
        checkout: "/checkout",
        instance: "02:00:00:00:00:10",
        stack: "tools",
        grants: GRANTS,
      },
      kubernetes,
    );
  });
  expect(release(registered)).toMatchObject({ version: "0.29.1", skipAwait: true, atomic: false });
  expect(release(registered)["values"]).toEqual({
    injector: { enabled: false },
    ui: { enabled: true },
    server: {
      standalone: { enabled: true },
      dataStorage: { enabled: true, size: "10Gi", storageClass: "local-path" },
      auditStorage: { enabled: true, size: "10Gi", storageClass: "local-path" },
      resources: { requests: { cpu: "100m", memory: "256Mi" }, limits: { memory: "512Mi" } },
      ingress: { enabled: false },
    },
  });
  const shared = { dir: "/checkout", environment: { VAULT_ADDR: "https://vault.fullstack.pw" }, logging: "none", addPreviousOutputInEnv: false };
  const command = (name: string) => plain(only(registered, "command:local:Command", name).inputs);
  // A Vault on a new host is booted again.
  expect(command("vault-boot")).toEqual({ ...shared, create: "node bin/secrets/vault-first-boot.main.js", triggers: ["02:00:00:00:00:10"] });
  expect(command("vault-set-up")).toEqual({
    ...shared,
    create: "node bin/secrets/vault-set-up.main.js",
    triggers: ["id-of-vault"],
    stdin: JSON.stringify(MANAGER_POLICY),
  });
  const provider = (name: string) => plain(only(registered, "pulumi:providers:vault", name).inputs);
  expect(provider("vault-set-up")).toMatchObject({ address: "https://vault.fullstack.pw", token: "hvs.manager" });
  expect(provider("vault-provider")).toMatchObject({ token: "hvs.homelab-stack-tools" });
  expect(only(registered, "vault:index/mount:Mount").inputs).toMatchObject({ path: "kv", type: "kv", options: { version: "2" } });
  // What lies in a Vault goes with it: it is made anew with another one, and nothing is asked of the one that is gone.
  const inVault = registered.filter(({ type }) => type.startsWith("vault:"));
  expect(inVault.map(({ deletedWith }) => deletedWith?.split("::").at(-1))).toEqual(inVault.map(() => "vault-boot"));
});

test("each stack has a policy, a token of it alone and an auth mount; each namespace a policy and a role that takes tokens for Vault alone", async () => {
  const registered = await build(({ vault }) => {
    new VaultGrants("grants", { grants: GRANTS }, vault);
  });
  const inputs = (type: string) => registered.filter((r) => r.type === type).map((r) => plain(r.inputs));
  expect(inputs("vault:index/policy:Policy")).toEqual(
    expect.arrayContaining([
      { name: "stack.tools", policy: stackPolicy({ stack: "tools", writesCommon: true }) },
      { name: "stack.dev", policy: stackPolicy({ stack: "dev", writesCommon: false }) },
      { name: "namespace.dev.app", policy: readPolicy(["environments/dev/store/A", "store/B"]) },
    ]),
  );
  expect(inputs("vault:index/policy:Policy")).toHaveLength(3);
  expect(inputs("vault:index/authBackend:AuthBackend")).toEqual(
    ["tools", "dev"].map((stack) => ({ type: "kubernetes", path: `kubernetes/${stack}`, description: `Service accounts of the cluster ${stack}` })),
  );
  expect(inputs("vault:kubernetes/authBackendRole:AuthBackendRole")).toEqual([
    {
      backend: "kubernetes/dev",
      roleName: "app",
      audience: "vault",
      boundServiceAccountNames: ["vault-reader"],
      boundServiceAccountNamespaces: ["app"],
      tokenPolicies: ["namespace.dev.app"],
      tokenTtl: 3600,
    },
  ]);
  expect(inputs("vault:index/token:Token")).toEqual(
    ["tools", "dev"].map((stack) => ({
      policies: [`stack.${stack}`],
      displayName: `homelab-stack-${stack}`,
      noParent: true,
      noDefaultPolicy: true,
      renewable: true,
      period: "87600h",
      renewMinLease: 31_536_000,
      renewIncrement: 315_360_000,
    })),
  );
});

const pathsOf = (policy: string): string[] =>
  [...policy.matchAll(/^path "([^"]+)" \{ capabilities = \[(.*)\] \}$/gm)].map((match) => `${match[1]}: ${match[2]?.replaceAll('"', "")}`);

test("a stack's policy names what is its own, and nothing with a wildcard but its own folder", () => {
  expect(pathsOf(stackPolicy({ stack: "dev", writesCommon: false }))).toEqual([
    "kv/data/clusters/dev/kubeconfig: create, read, update",
    "kv/metadata/clusters/dev/kubeconfig: read, delete",
    "kv/data/environments/dev/*: create, read, update",
    "kv/metadata/environments/dev/*: read, delete",
    "auth/kubernetes/dev/config: create, read, update",
    "auth/token/lookup-self: read",
    "auth/token/renew-self: update",
    "sys/auth/kubernetes-dev: delete, sudo",
    "auth/kubernetes-dev/role/external-dns: delete",
    "auth/kubernetes-dev/role/cluster-secrets: delete",
    "sys/policies/acl/cluster-dev-external-dns: delete",
    "sys/policies/acl/cluster-dev-shared: delete",
  ]);
  expect(pathsOf(stackPolicy({ stack: "tools", writesCommon: true })).slice(0, 6)).toEqual([
    "kv/data/*: create, read, update",
    "kv/metadata/*: read, delete",
    "kv/data/clusters/*: deny",
    "kv/metadata/clusters/*: deny",
    "kv/data/environments/*: deny",
    "kv/metadata/environments/*: deny",
  ]);
});

test("the managing stack's policy reads no entry, and does not write itself", () => {
  const paths = pathsOf(managerPolicy());
  expect(paths.filter((line) => line.startsWith("kv/"))).toEqual([]);
  expect(paths.filter((line) => line.startsWith("sys/policies"))).toEqual([
    "sys/policies/acl/stack.*: create, read, update, delete",
    "sys/policies/acl/namespace.*: create, read, update, delete",
    "sys/policies/acl/homelab-program: delete",
  ]);
  expect(paths.filter((line) => /^(\*|sys\/(raw|seal|rotate|generate-root))/.test(line))).toEqual([]);
});

test.each(["a*", "a/+/b", 'a" { capabilities = ["sudo"] }', "a//b", "", "a\nb", "{{identity.entity.id}}"])(
  "an entry named %j cannot widen a policy",
  (path) => {
    expect(() => readPolicy([path])).toThrow(expect.objectContaining({ code: "E_VAULT_PATH" }));
    expect(() => stackPolicy({ stack: path, writesCommon: false })).toThrow(expect.objectContaining({ code: "E_VAULT_PATH" }));
  },
);

test("each entry of Vault is a resource of its own, with its values secret", async () => {
  const registered = await build(({ vault }) => {
    new VaultEntries(
      "secrets",
      {
        mount: "kv",
        entries: new Map([
          ["cloudflare", { "api-token": "t0ken" }],
          ["store/secrets/MINIO", { rootUser: "u", rootPassword: "p" }],
        ]),
      },
      vault,
    );
  });
  const entries = registered.filter((r) => r.type === "vault:kv/secretV2:SecretV2");
  expect(entries.map((r) => plain(r.inputs))).toEqual([
    { mount: "kv", name: "cloudflare", dataJson: '{"api-token":"t0ken"}', deleteAllVersions: true },
    { mount: "kv", name: "store/secrets/MINIO", dataJson: '{"rootUser":"u","rootPassword":"p"}', deleteAllVersions: true },
  ]);
  for (const entry of entries) expect(entry.inputs["dataJson"]).toMatchObject({ "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270" });
});

describe("the shared Secret", () => {
  const shared = (entries: ReadonlyMap<string, readonly string[]>) =>
    build(({ kubernetes }) => {
      new SharedSecrets("shared", { namespace: "external-secrets", vaultAddress: "https://vault", authMount: "kubernetes/dev", entries }, kubernetes);
    });

  test("goes to labelled namespaces only, by an identity of its own", async () => {
    const registered = await shared(
      new Map([
        ["store/A", ["one", "two"]],
        ["store/B", ["three"]],
      ]),
    );
    expect(only(registered, "kubernetes:external-secrets.io/v1beta1:ClusterExternalSecret").inputs["spec"]).toMatchObject({
      namespaceSelector: { matchLabels: { "cluster-secrets": "true" } },
      externalSecretSpec: {
        target: { name: "cluster-secrets" },
        data: [
          { secretKey: "one", remoteRef: { key: "store/A", property: "one" } },
          { secretKey: "two", remoteRef: { key: "store/A", property: "two" } },
          { secretKey: "three", remoteRef: { key: "store/B", property: "three" } },
        ],
      },
    });
    expect(JSON.stringify(only(registered, "kubernetes:external-secrets.io/v1beta1:ClusterSecretStore").inputs)).not.toContain("tokenSecretRef");
  });

  test("two entries with a key of one name are found before anything is built", () => {
    expect(() =>
      flatKeys(
        new Map([
          ["store/ORACLE", ["region"]],
          ["store/S3", ["bucket", "region"]],
        ]),
      ),
    ).toThrow('"region" is a key of store/ORACLE and of store/S3: cluster-secrets can hold one of them');
  });
});

test("a cluster logs in to Vault through a reviewer that may only review", async () => {
  const registered = await build(({ kubernetes, vault }) => {
    new VaultClusterAccess("access", { stack: "dev", endpoint: "https://192.168.1.12:6443", ca: "PEM", vaultId: "id" }, kubernetes, vault);
  });
  expect(plain(only(registered, "vault:kubernetes/authBackendConfig:AuthBackendConfig").inputs)).toEqual({
    backend: "kubernetes/dev",
    kubernetesHost: "https://192.168.1.12:6443",
    kubernetesCaCert: "PEM",
    tokenReviewerJwt: "reviewer",
    disableLocalCaJwt: true,
  });
  expect(only(registered, "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding").inputs).toMatchObject({
    roleRef: { kind: "ClusterRole", name: "system:auth-delegator" },
    subjects: [{ kind: "ServiceAccount", name: "vault-token-reviewer", namespace: "vault-access" }],
  });
  expect(only(registered, TYPES.secret).inputs).toMatchObject({
    type: "kubernetes.io/service-account-token",
    metadata: { annotations: { "kubernetes.io/service-account.name": "vault-token-reviewer" } },
  });
});

test("a namespace gets what it names: an identity, a store for itself alone, and its Secrets", async () => {
  const registered = await build(({ kubernetes }) => {
    new SecretAccess(
      "app",
      {
        namespace: "app",
        namespaceName: "app",
        vaultAddress: "https://vault.fullstack.pw",
        authMount: "kubernetes/dev",
        secrets: [{ name: "db", data: { PASSWORD: { path: "store/secrets/POSTGRES", key: "POSTGRES_PASSWORD" } } }],
      },
      kubernetes,
    );
  });
  expect(only(registered, "kubernetes:external-secrets.io/v1beta1:ClusterSecretStore").inputs["spec"]).toEqual({
    conditions: [{ namespaces: ["app"] }],
    provider: {
      vault: {
        server: "https://vault.fullstack.pw",
        path: "kv",
        version: "v2",
        auth: { kubernetes: { mountPath: "kubernetes/dev", role: "app", serviceAccountRef: { name: "vault-reader", namespace: "app", audiences: ["vault"] } } },
      },
    },
  });
  expect(only(registered, "kubernetes:external-secrets.io/v1beta1:ExternalSecret").inputs["spec"]).toEqual({
    refreshInterval: "1m",
    secretStoreRef: { kind: "ClusterSecretStore", name: "vault-app" },
    target: { name: "db", creationPolicy: "Owner" },
    data: [{ secretKey: "PASSWORD", remoteRef: { key: "store/secrets/POSTGRES", property: "POSTGRES_PASSWORD" } }],
  });
});

test("a policy names each entry once and no folder; one without entries is not empty, which Vault would refuse", () => {
  expect(readPolicy([])).toBe("# no entry\n");
  expect(readPolicy(["b", "a", "b"])).toBe('path "kv/data/a" { capabilities = ["read"] }\npath "kv/data/b" { capabilities = ["read"] }\n');
});

describe("external-dns", () => {
  const dns = (hostNames: string[]) =>
    build(({ kubernetes }) => {
      new ExternalDns("dns", { hostNames, piholeUrl: "http://192.168.1.3", vaultAddress: "https://vault", authMount: "kubernetes/dev" }, kubernetes);
    });

  test("is its pinned chart: it writes and deletes the cluster's own names in Pi-hole 6, and nothing else", async () => {
    expect(release(await dns(["b.fullstack.pw", "dev.a.fullstack.pw"]))).toMatchObject({
      name: "external-dns",
      namespace: "external-dns",
      chart: "external-dns",
      version: "1.21.1",
      repositoryOpts: { repo: "https://kubernetes-sigs.github.io/external-dns" },
      atomic: true,
      values: {
        provider: { name: "pihole" },
        sources: ["ingress"],
        registry: "noop",
        policy: "sync",
        interval: "1m",
        triggerLoopOnEvent: true,
        extraArgs: ["--pihole-server=http://192.168.1.3", "--pihole-api-version=6", "--regex-domain-filter=^(b\\.fullstack\\.pw|dev\\.a\\.fullstack\\.pw)$"],
        env: [{ name: "EXTERNAL_DNS_PIHOLE_PASSWORD", valueFrom: { secretKeyRef: { name: "external-dns-pihole", key: "EXTERNAL_DNS_PIHOLE_PASSWORD" } } }],
        resources: { requests: { cpu: "10m", memory: "32Mi" }, limits: { memory: "128Mi" } },
      },
    });
  });

  test("matches its names whole, and nothing where it has none", () => {
    const own = new RegExp(namePattern(["ascii.fullstack.pw"]));
    expect(["ascii.fullstack.pw", "dev.ascii.fullstack.pw", "asciiXfullstack.pw", "ascii.fullstack.pw.org"].map((name) => own.test(name))).toEqual([
      true,
      false,
      false,
      false,
    ]);
    expect(new RegExp(namePattern([])).test("ascii.fullstack.pw")).toBe(false);
  });

  test("takes its password from Vault", async () => {
    const registered = await dns([]);
    expect(only(registered, "kubernetes:external-secrets.io/v1beta1:ExternalSecret").inputs["spec"]).toMatchObject({ target: { name: "external-dns-pihole" } });
  });
});

const minio = (rootPassword: string) =>
  build(({ kubernetes }) => {
    new Minio(
      "minio",
      {
        rootUser: "u",
        rootPassword: pulumi.secret(rootPassword),
        domain: "fullstack.pw",
        storageClass: "local-path",
        ingressClass: "traefik",
        issuer: "letsencrypt-prod",
      },
      kubernetes,
    );
  });

test("MinIO restarts by a mark on its pod when its root credential is another one, and only then", async () => {
  const valuesOf = async (password: string) => release(await minio(password))["values"] as Record<string, unknown>;
  const markOf = (values: Record<string, unknown>) => (values["podAnnotations"] as Record<string, string>)["homelab/root-credential"];
  const [first, same, other] = [await valuesOf("one-password"), await valuesOf("one-password"), await valuesOf("other-password")];
  expect(markOf(first)).toMatch(/^[0-9a-f]{24}$/);
  expect(same).toEqual(first);
  expect(other).toEqual({ ...first, podAnnotations: { "homelab/root-credential": markOf(other) } });
  expect(markOf(other)).not.toBe(markOf(first));
});

test("MinIO takes its root user from a Secret and has a route for its API and one for its console", async () => {
  const registered = await minio("p");
  expect(custom(registered)).toEqual([
    "kubernetes:core/v1:Namespace minio-ns-namespace",
    "kubernetes:core/v1:Secret minio-root",
    "kubernetes:helm.sh/v3:Release minio-release",
    "kubernetes:networking.k8s.io/v1:Ingress minio-api-ingress",
    "kubernetes:networking.k8s.io/v1:Ingress minio-console-ingress",
  ]);
  expect(JSON.stringify(release(registered)["values"])).not.toContain("rootPassword");
  // No user of the chart's own: those have passwords that everybody knows.
  expect(release(registered)["values"]).toEqual({
    podAnnotations: { "homelab/root-credential": expect.stringMatching(/^[0-9a-f]{24}$/) },
    mode: "standalone",
    replicas: 1,
    existingSecret: "minio-root",
    users: [],
    persistence: { enabled: true, size: "10Gi", storageClass: "local-path" },
    resources: { requests: { memory: "256Mi" }, limits: { memory: "1Gi" } },
    buckets: [
      { name: "pulumi-state", policy: "none", purge: false, versioning: true },
      { name: "loki", policy: "none", purge: false },
      { name: "teleport", policy: "none", purge: false },
    ],
    ingress: { enabled: false },
    consoleIngress: { enabled: false },
  });
  const backend = (name: string) =>
    (only(registered, TYPES.ingress, name).inputs["spec"] as { rules: { host: string; http: { paths: { backend: object }[] } }[] }).rules.map((rule) => [
      rule.host,
      rule.http.paths[0]?.backend,
    ]);
  expect(backend("minio-api-ingress")).toEqual([["s3.fullstack.pw", { service: { name: "minio", port: { number: 9000 } } }]]);
  expect(backend("minio-console-ingress")).toEqual([["minio.fullstack.pw", { service: { name: "minio-console", port: { number: 9001 } } }]]);
});
