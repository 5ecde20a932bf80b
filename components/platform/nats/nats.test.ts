import { builtModule, graphOf, releaseDefaults, releaseOf } from "../../../tests/support/module-build";
import { only } from "../../../tests/support/pulumi-mocks";
import { nats } from "./module";

const MARK = "homelab/credentials";
const NATS = "cluster-secret-store/secrets/NATS";
const valuesOf = async (given: Parameters<typeof builtModule>[1]) => releaseOf(await builtModule(nats, given))["values"] as Record<string, unknown>;

test("it is its pinned chart with JetStream, after the Secret with a password for each user; a client without a user has no account", async () => {
  const registered = await builtModule(nats);
  expect(graphOf(registered)).toEqual({
    "kubernetes:core/v1:Namespace nats-ns-namespace": "given-cluster",
    "kubernetes:core/v1:ServiceAccount nats-secrets-reader": "given-cluster after nats-ns-namespace",
    "kubernetes:external-secrets.io/v1:ClusterSecretStore nats-secrets-store": "given-cluster after nats-ns-namespace, nats-secrets-reader",
    "kubernetes:external-secrets.io/v1:ExternalSecret nats-secrets-nats-users": "given-cluster after nats-ns-namespace, nats-secrets-store",
    "kubernetes:helm.sh/v3:Release nats-release": "given-cluster after nats-ns-namespace, nats-secrets-nats-users, nats-secrets-reader, nats-secrets-store",
  });
  expect(only(registered, "kubernetes:external-secrets.io/v1:ExternalSecret").inputs["spec"]).toMatchObject({
    target: { name: "nats-users" },
    data: [{ secretKey: "CREDENTIAL_OF_APPS", remoteRef: { key: NATS, property: "NATS_PASSWORD" } }],
  });
  expect(releaseOf(registered)).toEqual({
    ...releaseDefaults,
    name: "nats",
    namespace: "nats",
    chart: "nats",
    version: "2.14.2",
    repositoryOpts: { repo: "https://nats-io.github.io/k8s/helm/charts" },
    values: {
      config: {
        jetstream: { enabled: true, fileStore: { enabled: true, pvc: { enabled: true, size: "10Gi", storageClassName: "local-path" } } },
        merge: {
          accounts: {
            apps: {
              jetstream: "enabled",
              users: [
                {
                  user: "apps",
                  password: "<< $PASSWORD_OF_APPS >>",
                  permissions: { publish: [">", "_INBOX.>", "$JS.API.>"], subscribe: [">", "_INBOX.>"] },
                },
              ],
            },
          },
        },
      },
      container: {
        env: {
          CREDENTIAL_OF_APPS: { valueFrom: { secretKeyRef: { name: "nats-users", key: "CREDENTIAL_OF_APPS" } } },
          PASSWORD_OF_APPS: { value: '"$(CREDENTIAL_OF_APPS)"' },
        },
        resources: { requests: { cpu: "100m", memory: "128Mi" }, limits: { memory: "512Mi" } },
        merge: { securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ["ALL"] } } },
      },
      reloader: { enabled: false },
      podTemplate: {
        configChecksumAnnotation: true,
        merge: {
          metadata: { annotations: { [MARK]: expect.stringMatching(/^[0-9a-f]{24}$/) } },
          spec: { securityContext: { runAsNonRoot: true, runAsUser: 1000, runAsGroup: 1000, fsGroup: 1000, seccompProfile: { type: "RuntimeDefault" } } },
        },
      },
      service: { merge: { metadata: { annotations: { "external-dns.alpha.kubernetes.io/hostname": "nats.example.org" } }, spec: { type: "LoadBalancer" } } },
      promExporter: {
        enabled: true,
        merge: {
          securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ["ALL"] } },
          resources: { requests: { cpu: "10m", memory: "16Mi" }, limits: { memory: "64Mi" } },
        },
      },
      podDisruptionBudget: { enabled: false },
      natsBox: { enabled: false },
    },
  });
});

test("accounts, users and subjects are options", async () => {
  const accounts = {
    shop: { users: { "web-shop": { subjects: ["orders.>"], path: "a", key: "b" } } },
    logs: { jetstream: false, users: { writer: { subjects: ["log.*"], path: "c", key: "d" } } },
  };
  expect(await valuesOf({ options: { accounts, size: "1Gi" } })).toMatchObject({
    config: {
      jetstream: { fileStore: { pvc: { size: "1Gi" } } },
      merge: {
        accounts: {
          shop: {
            jetstream: "enabled",
            users: [{ user: "web-shop", password: "<< $PASSWORD_OF_WEB_SHOP >>", permissions: { publish: ["orders.>", "_INBOX.>", "$JS.API.>"] } }],
          },
          logs: { users: [{ user: "writer", permissions: { publish: ["log.*", "_INBOX.>"], subscribe: ["log.*", "_INBOX.>"] } }] },
        },
      },
    },
    container: { env: { CREDENTIAL_OF_WEB_SHOP: {}, PASSWORD_OF_WEB_SHOP: { value: '"$(CREDENTIAL_OF_WEB_SHOP)"' }, PASSWORD_OF_WRITER: {} } },
  });
});

test("its pod restarts when a password is another one, and only then", async () => {
  const markOf = async (password: string) => JSON.stringify((await valuesOf({ secrets: { get: () => password as never } }))["podTemplate"]);
  expect(await markOf("one")).toBe(await markOf("one"));
  expect(await markOf("two")).not.toBe(await markOf("one"));
});

const user = { path: "a", key: "b" };
test.each([
  ["no account", {}, /at least one account/],
  ["an account without users", { a: { users: {} } }, /at least one user/],
  ["a user in two accounts", { a: { users: { u: user } }, b: { users: { u: user } } }, /in one account alone/],
  ["a subject with a quote", { a: { users: { u: { ...user, subjects: ['x"y'] } } } }, /a subject of parts between dots/],
])("%s is refused", (_, accounts, message) => {
  expect(JSON.stringify(nats.options.safeParse({ accounts }).error?.issues)).toMatch(message);
});
