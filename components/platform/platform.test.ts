import { Provider as KubernetesProvider } from "@pulumi/kubernetes/provider";
import * as pulumi from "@pulumi/pulumi";
import { Provider as VaultProvider } from "@pulumi/vault/provider";
import { mockEngine, only, plain, type Registered, settle } from "../../tests/support/pulumi-mocks";
import { CertManager } from "./cert-manager";
import { ExternalDns } from "./external-dns";
import { namePattern } from "./external-dns.values";
import { ExternalSecrets } from "./external-secrets";
import { Minio } from "./minio";
import { SecretAccess } from "./secret-access";
import { flatKeys, SharedSecrets } from "./shared-secrets";
import { PROGRAM_POLICY, Vault } from "./vault";
import { VaultClusterAccess } from "./vault-cluster-access";
import { VaultEntries } from "./vault-entries";
import { readPolicy } from "./vault-store";

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

test("Vault is installed without waiting, booted once, and then used with a token of its own", async () => {
  const registered = await build(({ kubernetes }) => {
    new Vault(
      "vault",
      { address: "https://vault.fullstack.pw", storageClass: "local-path", ingressClass: "traefik", issuer: "letsencrypt-prod", checkout: "/checkout" },
      kubernetes,
    );
  });
  expect(release(registered)).toMatchObject({ version: "0.29.1", skipAwait: true, atomic: false });
  expect(only(registered, "command:local:Command").inputs).toEqual({
    create: "node bin/secrets/vault-first-boot.main.js",
    dir: "/checkout",
    environment: { VAULT_ADDR: "https://vault.fullstack.pw" },
    logging: "none",
    addPreviousOutputInEnv: false,
  });
  expect(plain(only(registered, "pulumi:providers:vault", "vault-set-up").inputs)).toMatchObject({ address: "https://vault.fullstack.pw", token: "hvs.root" });
  expect(plain(only(registered, "pulumi:providers:vault", "vault-provider").inputs)).toMatchObject({ token: "hvs.periodic" });
});

test("the program's policy gives no way to make itself wider", () => {
  const paths = [...PROGRAM_POLICY.matchAll(/^path "([^"]+)"/gm)].map((match) => match[1]);
  expect(paths).not.toContain("*");
  expect(paths.filter((path) => path?.startsWith("sys/policies"))).toEqual(["sys/policies/acl/cluster-*"]);
  expect(paths.filter((path) => path?.startsWith("auth/token"))).toEqual(["auth/token/lookup-self", "auth/token/renew-self"]);
  expect(paths.filter((path) => /^sys\/(raw|seal|rotate|generate-root)/.test(path ?? ""))).toEqual([]);
});

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
    build(({ kubernetes, vault }) => {
      new SharedSecrets(
        "shared",
        { stack: "dev", namespace: "external-secrets", vaultAddress: "https://vault", authMount: "kubernetes-dev", entries },
        kubernetes,
        vault,
      );
    });

  test("goes to labelled namespaces only, by a policy with its entries alone", async () => {
    const registered = await shared(
      new Map([
        ["store/A", ["one", "two"]],
        ["store/B", ["three"]],
      ]),
    );
    expect(only(registered, "vault:index/policy:Policy").inputs).toEqual({ name: "cluster-dev-shared", policy: readPolicy(["store/A", "store/B"]) });
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
    new VaultClusterAccess("access", { stack: "dev", endpoint: "https://192.168.1.12:6443", ca: "PEM" }, kubernetes, vault);
  });
  expect(only(registered, "vault:index/authBackend:AuthBackend").inputs).toMatchObject({ type: "kubernetes", path: "kubernetes-dev" });
  expect(plain(only(registered, "vault:kubernetes/authBackendConfig:AuthBackendConfig").inputs)).toEqual({
    backend: "kubernetes-dev",
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

test("a namespace gets what it names: an identity, a policy, a store for itself alone, and its Secrets", async () => {
  const registered = await build(({ kubernetes, vault }) => {
    new SecretAccess(
      "app",
      {
        stack: "dev",
        namespace: "app",
        namespaceName: "app",
        vaultAddress: "https://vault.fullstack.pw",
        authMount: "kubernetes-dev",
        secrets: [{ name: "db", data: { PASSWORD: { path: "store/secrets/POSTGRES", key: "POSTGRES_PASSWORD" } } }],
      },
      kubernetes,
      vault,
    );
  });
  expect(only(registered, "vault:index/policy:Policy").inputs).toEqual({
    name: "cluster-dev-app",
    policy: 'path "kv/data/store/secrets/POSTGRES" { capabilities = ["read"] }\n',
  });
  expect(only(registered, "vault:kubernetes/authBackendRole:AuthBackendRole").inputs).toEqual({
    backend: "kubernetes-dev",
    roleName: "app",
    boundServiceAccountNames: ["vault-reader"],
    boundServiceAccountNamespaces: ["app"],
    tokenPolicies: ["cluster-dev-app"],
    tokenTtl: 3600,
  });
  expect(only(registered, "kubernetes:external-secrets.io/v1beta1:ClusterSecretStore").inputs["spec"]).toEqual({
    conditions: [{ namespaces: ["app"] }],
    provider: {
      vault: {
        server: "https://vault.fullstack.pw",
        path: "kv",
        version: "v2",
        auth: { kubernetes: { mountPath: "kubernetes-dev", role: "app", serviceAccountRef: { name: "vault-reader", namespace: "app" } } },
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
    build(({ kubernetes, vault }) => {
      new ExternalDns(
        "dns",
        { stack: "dev", hostNames, piholeUrl: "http://192.168.1.3", vaultAddress: "https://vault", authMount: "kubernetes-dev" },
        kubernetes,
        vault,
      );
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
    expect(only(registered, "vault:index/policy:Policy").inputs["name"]).toBe("cluster-dev-external-dns");
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
  expect(release(registered)["values"]).toMatchObject({ existingSecret: "minio-root", mode: "standalone" });
  const backend = (name: string) =>
    (only(registered, TYPES.ingress, name).inputs["spec"] as { rules: { host: string; http: { paths: { backend: object }[] } }[] }).rules.map((rule) => [
      rule.host,
      rule.http.paths[0]?.backend,
    ]);
  expect(backend("minio-api-ingress")).toEqual([["s3.fullstack.pw", { service: { name: "minio", port: { number: 9000 } } }]]);
  expect(backend("minio-console-ingress")).toEqual([["minio.fullstack.pw", { service: { name: "minio-console", port: { number: 9001 } } }]]);
});
