import { builtModule, graphOf, releaseDefaults, releaseOf } from "../../../tests/support/module-build";
import { only } from "../../../tests/support/pulumi-mocks";
import { valkey } from "./module";
import { aclRules } from "./values";

const MARK = "homelab/credentials";
const REDIS = "cluster-secret-store/secrets/REDIS";
const valuesOf = async (given: Parameters<typeof builtModule>[1]) => releaseOf(await builtModule(valkey, given))["values"] as Record<string, unknown>;
const probe = { enabled: true, customProbe: { tcpSocket: { port: 6379 } } };

test("it is its pinned chart, after the Secret with a password for each user, and nobody is let in without one", async () => {
  const registered = await builtModule(valkey);
  expect(graphOf(registered)).toEqual({
    "kubernetes:core/v1:Namespace valkey-ns-namespace": "given-cluster",
    "kubernetes:core/v1:ServiceAccount valkey-secrets-reader": "given-cluster after valkey-ns-namespace",
    "kubernetes:external-secrets.io/v1:ClusterSecretStore valkey-secrets-store": "given-cluster after valkey-ns-namespace, valkey-secrets-reader",
    "kubernetes:external-secrets.io/v1:ExternalSecret valkey-secrets-valkey-users": "given-cluster after valkey-ns-namespace, valkey-secrets-store",
    "kubernetes:helm.sh/v3:Release valkey-release":
      "given-cluster after valkey-ns-namespace, valkey-secrets-reader, valkey-secrets-store, valkey-secrets-valkey-users",
  });
  expect(only(registered, "kubernetes:external-secrets.io/v1:ExternalSecret").inputs["spec"]).toMatchObject({
    target: { name: "valkey-users" },
    data: [{ secretKey: "apps", remoteRef: { key: REDIS, property: "REDIS_PASSWORD" } }],
  });
  expect(releaseOf(registered)).toEqual({
    ...releaseDefaults,
    name: "valkey",
    namespace: "valkey",
    chart: "valkey",
    version: "0.11.0",
    repositoryOpts: { repo: "https://valkey.io/valkey-helm" },
    values: {
      podAnnotations: { [MARK]: expect.stringMatching(/^[0-9a-f]{24}$/) },
      auth: {
        enabled: true,
        usersExistingSecret: "valkey-users",
        aclUsers: { apps: { permissions: "~* resetchannels &* +@all -@admin -@dangerous +info +keys" } },
        aclConfig: "user default off",
      },
      valkeyConfig: "maxmemory 256mb\nmaxmemory-policy noeviction\nappendonly yes\nnotify-keyspace-events KA\n",
      dataStorage: { enabled: true, requestedSize: "10Gi", className: "local-path", keepPvc: true },
      deploymentStrategy: "Recreate",
      service: { type: "LoadBalancer", port: 6379, annotations: { "external-dns.alpha.kubernetes.io/hostname": "redis.example.org" } },
      startupProbe: probe,
      readinessProbe: probe,
      livenessProbe: probe,
      resources: { requests: { cpu: "100m", memory: "256Mi" }, limits: { memory: "448Mi" } },
      initResources: { requests: { cpu: "10m", memory: "16Mi" }, limits: { memory: "64Mi" } },
    },
  });
});

test("users, size and memory are options", async () => {
  const users = {
    web: { keys: ["web:*", "shared:*"], channels: ["news"], path: "a", key: "b" },
    report: { keys: ["web:*"], may: "read", path: "c", key: "d" },
  };
  expect(await valuesOf({ options: { users, size: "1Gi", memoryMiB: 64, storageClass: "fast" } })).toMatchObject({
    auth: {
      aclUsers: {
        web: { permissions: "~web:* ~shared:* resetchannels &news +@all -@admin -@dangerous +info +keys" },
        report: { permissions: "~web:* resetchannels -@all +@read +@connection +info" },
      },
    },
    dataStorage: { requestedSize: "1Gi", className: "fast" },
    resources: { requests: { memory: "64Mi" }, limits: { memory: "160Mi" } },
  });
});

test("its pod restarts when a password is another one, and only then", async () => {
  const markOf = async (password: string) => (await valuesOf({ secrets: { get: () => password as never } }))["podAnnotations"] as Record<string, string>;
  const [first, same, other] = [await markOf("one"), await markOf("one"), await markOf("two")];
  expect(same).toEqual(first);
  expect(other[MARK]).not.toBe(first[MARK]);
});

test.each([
  ["the user default", { default: { keys: ["*"], path: "a", key: "b" } }, /not default, which is off/],
  ["no user", {}, /at least one user/],
  ["a user without keys", { web: { keys: [], path: "a", key: "b" } }, />=1 items/],
  ["a pattern that is two rules", { web: { keys: ["* +@admin"], path: "a", key: "b" } }, /a pattern without spaces/],
])("%s is refused", (_, users, message) => {
  expect(JSON.stringify(valkey.options.safeParse({ users }).error?.issues)).toMatch(message);
});

test("a user's rules name no channel that it was not given", () => {
  expect(aclRules({ keys: ["a"], channels: [], may: "write" })).toBe("~a resetchannels +@all -@admin -@dangerous +info +keys");
});
