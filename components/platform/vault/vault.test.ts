import { builtModule, graphOf, registeredOf, releaseDefaults, releaseOf } from "../../../tests/support/module-build";
import { only, plain } from "../../../tests/support/pulumi-mocks";
import { vault } from "./module";
import { VaultGrants } from "./vault-grants";
import { MANAGER_POLICY, managerPolicy, readPolicy, stackPolicy } from "./vault-policies";

const GRANTS = [
  { stack: "tools", writesCommon: true, namespaces: [] },
  {
    stack: "dev",
    writesCommon: false,
    namespaces: [{ namespace: "app", role: "app", reader: "vault-reader", paths: ["store/B", "environments/dev/store/A"] }],
  },
];

const built = (options = {}) => builtModule(vault, { options, place: { environment: "tools" }, grants: GRANTS });

test("it is installed without waiting, booted, set up for the stack that manages it, and used with tokens of each stack's own", async () => {
  const registered = await built();
  expect(graphOf(registered)).toEqual({
    "kubernetes:core/v1:Namespace vault-ns-namespace": "given-cluster",
    "kubernetes:helm.sh/v3:Release vault-release": "given-cluster after vault-ns-namespace",
    "kubernetes:networking.k8s.io/v1:Ingress vault-ingress": "given-cluster after vault-ns-namespace, vault-release, vault-rollout-vault",
    "command:local:Command vault-rollout-vault": "given-command after vault-ns-namespace, vault-release",
    "command:local:Command vault-boot": "given-command after vault-ingress, vault-release, vault-rollout-vault",
    "command:local:Command vault-unsealed": "given-command after vault-boot, vault-release",
    "command:local:Command vault-set-up": "given-command after vault-boot, vault-unsealed",
    "pulumi:providers:vault vault-set-up": " after vault-set-up",
    "vault:index/mount:Mount vault-kv": "vault-set-up",
    "vault:index/audit:Audit vault-audit": "vault-set-up",
    "vault:index/authBackend:AuthBackend vault-grants-tools-mount": "vault-set-up",
    "vault:index/policy:Policy vault-grants-tools-policy": "vault-set-up",
    "vault:index/token:Token vault-grants-tools-token": "vault-set-up after vault-grants-tools-mount, vault-grants-tools-policy",
    "vault:index/authBackend:AuthBackend vault-grants-dev-mount": "vault-set-up",
    "vault:index/policy:Policy vault-grants-dev-app-policy": "vault-set-up",
    "vault:kubernetes/authBackendRole:AuthBackendRole vault-grants-dev-app-role": "vault-set-up after vault-grants-dev-app-policy, vault-grants-dev-mount",
    "vault:index/policy:Policy vault-grants-dev-policy": "vault-set-up",
    "vault:index/token:Token vault-grants-dev-token": "vault-set-up after vault-grants-dev-app-role, vault-grants-dev-mount, vault-grants-dev-policy",
    "pulumi:providers:vault vault-provider": " after vault-grants-dev-token, vault-grants-tools-token, vault-kv",
  });
  expect(releaseOf(registered)).toEqual({
    ...releaseDefaults,
    skipAwait: true,
    atomic: false,
    name: "vault",
    namespace: "vault",
    chart: "vault",
    version: "0.34.1",
    repositoryOpts: { repo: "https://helm.releases.hashicorp.com" },
    values: {
      injector: { enabled: false },
      ui: { enabled: true },
      server: {
        image: { tag: "1.21.9" },
        standalone: { enabled: true },
        dataStorage: { enabled: true, size: "10Gi", storageClass: "local-path" },
        auditStorage: { enabled: true, size: "10Gi", storageClass: "local-path" },
        resources: { requests: { cpu: "100m", memory: "256Mi" }, limits: { memory: "512Mi" } },
        ingress: { enabled: false },
      },
    },
  });
  const shared = { dir: "/checkout", environment: { VAULT_ADDR: "https://vault.example.org" }, logging: "stderr", addPreviousOutputInEnv: false };
  const command = (name: string) => plain(only(registered, "command:local:Command", name).inputs);
  // A Vault on a new host is booted again.
  expect(command("vault-boot")).toEqual({ ...shared, create: "node bin/secrets/vault-first-boot.main.js", triggers: ["02:00"] });
  expect(command("vault-set-up")).toEqual({
    ...shared,
    create: "node bin/secrets/vault-set-up.main.js",
    triggers: ["id-of-vault"],
    stdin: JSON.stringify(MANAGER_POLICY),
  });
  const provider = (name: string) => plain(only(registered, "pulumi:providers:vault", name).inputs);
  expect(provider("vault-set-up")).toMatchObject({ address: "https://vault.example.org", token: "hvs.manager" });
  expect(provider("vault-provider")).toMatchObject({ token: "hvs.homelab-stack-tools" });
  const description = "Entries of secrets/ and kubeconfigs";
  expect(only(registered, "vault:index/mount:Mount").inputs).toEqual({ path: "kv", type: "kv", options: { version: "2" }, description });
  const options = { file_path: "/vault/audit/audit.log" };
  expect(only(registered, "vault:index/audit:Audit").inputs).toEqual({ type: "file", path: "file", description: "Who did what", options });
});

test("what lies in it goes with it: it is made anew with another one, and nothing is asked of the one that is gone", async () => {
  const inVault = (await built()).filter(({ type }) => type.startsWith("vault:"));
  expect(inVault.map(({ deletedWith }) => deletedWith.split("::").at(-1))).toEqual(Array(inVault.length).fill("vault-boot"));
});

test("class and sizes of its volumes are options", async () => {
  expect(releaseOf(await built({ storageClass: "fast", size: "20Gi", auditSize: "5Gi" }))).toMatchObject({
    values: { server: { dataStorage: { size: "20Gi", storageClass: "fast" }, auditStorage: { size: "5Gi", storageClass: "fast" } } },
  });
});

test("each stack has a policy, a token of it alone and an auth mount; each namespace a policy and a role that takes tokens for Vault alone", async () => {
  const registered = await registeredOf(({ vault: provider }) => {
    new VaultGrants("grants", { grants: GRANTS }, { providers: { vault: provider } });
  });
  const inputs = (type: string) => registered.filter((r) => r.type === type).map((r) => plain(r.inputs));
  expect(inputs("vault:index/policy:Policy")).toEqual([
    { name: "stack.tools", policy: stackPolicy({ stack: "tools", writesCommon: true }) },
    { name: "namespace.dev.app", policy: readPolicy(["environments/dev/store/A", "store/B"]) },
    { name: "stack.dev", policy: stackPolicy({ stack: "dev", writesCommon: false }) },
  ]);
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

test("a stack's policy names what is its own, and no path whose end is free: `..` would lead out of its folder", () => {
  expect(pathsOf(stackPolicy({ stack: "dev", writesCommon: false }))).toEqual([
    "kv/data/clusters/dev/kubeconfig: create, read, update",
    "kv/metadata/clusters/dev/kubeconfig: read, delete",
    "kv/data/clusters/dev/argo-cd: create, read, update",
    "kv/metadata/clusters/dev/argo-cd: read, delete",
    "kv/data/environments/dev/+: create, read, update",
    "kv/metadata/environments/dev/+: read, delete",
    "kv/data/environments/dev/+/+: create, read, update",
    "kv/metadata/environments/dev/+/+: read, delete",
    "kv/data/environments/dev/cluster-secret-store/secrets/+: create, read, update",
    "kv/metadata/environments/dev/cluster-secret-store/secrets/+: read, delete",
    "auth/kubernetes/dev/config: create, read, update",
    "auth/token/lookup-self: read",
    "auth/token/renew-self: update",
    "sys/auth/kubernetes-dev: delete, sudo",
    "auth/kubernetes-dev/role/external-dns: delete",
    "auth/kubernetes-dev/role/cluster-secrets: delete",
    "sys/policies/acl/cluster-dev-external-dns: delete",
    "sys/policies/acl/cluster-dev-shared: delete",
  ]);
  expect(pathsOf(stackPolicy({ stack: "tools", writesCommon: true })).slice(0, 10)).toEqual([
    "kv/data/+: create, read, update",
    "kv/metadata/+: read, delete",
    "kv/data/+/+: create, read, update",
    "kv/metadata/+/+: read, delete",
    "kv/data/cluster-secret-store/secrets/+: create, read, update",
    "kv/metadata/cluster-secret-store/secrets/+: read, delete",
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

test("a policy names each entry once and no folder; one without entries is not empty, which Vault would refuse", () => {
  expect(readPolicy([])).toBe("# no entry\n");
  expect(readPolicy(["b", "a", "b"])).toBe('path "kv/data/a" { capabilities = ["read"] }\npath "kv/data/b" { capabilities = ["read"] }\n');
});
