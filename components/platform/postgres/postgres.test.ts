import { builtModule, graphOf } from "../../../tests/support/module-build";
import { only, plain } from "../../../tests/support/pulumi-mocks";
import { postgres } from "./module";

const CNPG = "kubernetes:postgresql.cnpg.io/v1";
const ENTRY = "cluster-secret-store/secrets/POSTGRES";

test("it is servers for the first database, after the Secret of its owner, with a name that clients outside find", async () => {
  const registered = await builtModule(postgres);
  expect(graphOf(registered)).toEqual({
    "kubernetes:core/v1:Namespace postgres-ns-namespace": "given-cluster",
    "kubernetes:core/v1:Secret postgres-apps-owner-secret": "given-cluster after postgres-ns-namespace",
    [`${CNPG}:Cluster postgres-apps-servers`]: "given-cluster after postgres-apps-owner-secret, postgres-ns-namespace",
  });
  expect(plain(only(registered, "kubernetes:core/v1:Secret").inputs)).toMatchObject({
    metadata: { name: "postgres-apps", namespace: "postgres" },
    type: "kubernetes.io/basic-auth",
    stringData: { username: "apps", password: `${ENTRY} POSTGRES_PASSWORD` },
  });
  expect(only(registered, `${CNPG}:Cluster`).inputs).toEqual({
    apiVersion: "postgresql.cnpg.io/v1",
    kind: "Cluster",
    metadata: { name: "postgres", namespace: "postgres", annotations: { "pulumi.com/waitFor": "condition=Ready" } },
    spec: {
      instances: 1,
      imageName: "ghcr.io/cloudnative-pg/postgresql:17.6-standard-bookworm",
      enableSuperuserAccess: false,
      storage: { size: "10Gi", storageClass: "local-path" },
      resources: { requests: { cpu: "250m", memory: "512Mi" }, limits: { memory: "1024Mi" } },
      bootstrap: {
        initdb: {
          database: "apps",
          owner: "apps",
          secret: { name: "postgres-apps" },
          dataChecksums: true,
          postInitApplicationSQL: ['CREATE EXTENSION IF NOT EXISTS "vector"'],
        },
      },
      postgresql: { parameters: { shared_buffers: "128MB", wal_level: "logical" } },
      managed: {
        services: {
          additional: [
            {
              selectorType: "rw",
              serviceTemplate: {
                metadata: { name: "postgres-outside", annotations: { "external-dns.alpha.kubernetes.io/hostname": "postgres.example.org" } },
                spec: { type: "LoadBalancer" },
              },
            },
          ],
        },
      },
      enablePDB: false,
    },
  });
});

test("a further database comes into the servers when they are there, each with an owner of its own", async () => {
  const databases = {
    shop: { owner: "shop", path: "a", key: "b" },
    registry: { owner: "harbor", extensions: ["pg_trgm"], path: "c", key: "d" },
  };
  const registered = await builtModule(postgres, { options: { databases, instances: 2, size: "20Gi", memoryMiB: 1024 } });
  expect(graphOf(registered)).toEqual({
    "kubernetes:core/v1:Namespace postgres-ns-namespace": "given-cluster",
    "kubernetes:core/v1:Secret postgres-shop-owner-secret": "given-cluster after postgres-ns-namespace",
    [`${CNPG}:Cluster postgres-shop-servers`]: "given-cluster after postgres-ns-namespace, postgres-shop-owner-secret",
    "kubernetes:core/v1:Secret postgres-registry-owner-secret": "given-cluster after postgres-ns-namespace, postgres-shop-owner-secret, postgres-shop-servers",
    [`${CNPG}:DatabaseRole postgres-registry-role`]:
      "given-cluster after postgres-ns-namespace, postgres-registry-owner-secret, postgres-shop-owner-secret, postgres-shop-servers",
    [`${CNPG}:Database postgres-registry-database`]:
      "given-cluster after postgres-ns-namespace, postgres-registry-role, postgres-shop-owner-secret, postgres-shop-servers",
  });
  expect(only(registered, `${CNPG}:Database`).inputs["spec"]).toMatchObject({
    cluster: { name: "postgres" },
    name: "registry",
    owner: "harbor",
    extensions: [{ name: "pg_trgm" }],
  });
  expect(only(registered, `${CNPG}:Cluster`).inputs["spec"]).toMatchObject({ instances: 2, storage: { size: "20Gi" }, enablePDB: true });
});

test.each([
  ["no database", {}, /at least one database/],
  ["an owner of two databases", { a: { owner: "x", path: "a", key: "b" }, b: { owner: "x", path: "a", key: "b" } }, /an owner of its own/],
  ["a reserved owner", { a: { owner: "postgres", path: "a", key: "b" } }, /no name that Postgres keeps/],
])("%s is refused", (_, databases, message) => {
  expect(JSON.stringify(postgres.options.safeParse({ databases }).error?.issues)).toMatch(message);
});
