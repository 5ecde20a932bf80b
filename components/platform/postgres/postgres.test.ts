import { builtModule, graphOf, PLACE } from "../../../tests/support/module-build";
import { only, plain, type Registered } from "../../../tests/support/pulumi-mocks";
import { postgres } from "./module";

const CNPG = "kubernetes:postgresql.cnpg.io/v1";
const ENTRY = "cluster-secret-store/secrets/POSTGRES";

test("its name outside is an address of the cluster's balancer, which the cluster has to have", () => {
  expect(postgres.parts(postgres.options.parse({ ...postgres.example }), PLACE).cluster).toEqual(["load-balancer"]);
});

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

const backup = { bucket: "backups", user: "pg", path: "store/A", key: "one" };
const store = (registered: Registered[]) => only(registered, "kubernetes:barmancloud.cnpg.io/v1:ObjectStore").inputs["spec"];

test("backups go to the object storage, by a user who reaches their bucket alone, with the log that any moment is had back from", async () => {
  const registered = await builtModule(postgres, { options: { backup } });
  expect(graphOf(registered)).toMatchObject({
    "kubernetes:core/v1:Secret postgres-backups-secret": "given-cluster after postgres-ns-namespace",
    "kubernetes:barmancloud.cnpg.io/v1:ObjectStore postgres-apps-store": "given-cluster after postgres-backups-secret, postgres-ns-namespace",
    [`${CNPG}:Cluster postgres-apps-servers`]: "given-cluster after postgres-apps-owner-secret, postgres-apps-store, postgres-ns-namespace",
    [`${CNPG}:ScheduledBackup postgres-apps-backups`]: "given-cluster after postgres-apps-servers, postgres-ns-namespace",
  });
  expect(plain(only(registered, "kubernetes:core/v1:Secret", "postgres-backups-secret").inputs)).toMatchObject({
    metadata: { name: "postgres-backups", namespace: "postgres" },
    stringData: { ACCESS_KEY_ID: "pg", SECRET_ACCESS_KEY: "store/A one" },
  });
  expect(store(registered)).toEqual({
    retentionPolicy: "30d",
    configuration: {
      destinationPath: "s3://backups/",
      endpointURL: "https://s3.example.org",
      s3Credentials: {
        accessKeyId: { name: "postgres-backups", key: "ACCESS_KEY_ID" },
        secretAccessKey: { name: "postgres-backups", key: "SECRET_ACCESS_KEY" },
      },
      wal: { compression: "gzip" },
      data: { compression: "gzip" },
    },
  });
  const plugin = { name: "barman-cloud.cloudnative-pg.io", parameters: { barmanObjectName: "postgres", serverName: "dev-postgres" } };
  expect(only(registered, `${CNPG}:Cluster`).inputs["spec"]).toMatchObject({ plugins: [{ ...plugin, isWALArchiver: true }] });
  expect(only(registered, `${CNPG}:ScheduledBackup`).inputs["spec"]).toMatchObject({ schedule: "0 0 3 * * *", immediate: true, method: "plugin" });
});

test("where certificates are of an authority of one's own, the archive is trusted by it", async () => {
  const registered = await builtModule(postgres, { options: { backup }, place: { vaultByOwnAuthority: true } });
  expect(only(registered, "kubernetes:core/v1:Secret", "postgres-backups-authority-secret")).toBeDefined();
  expect(store(registered)).toMatchObject({ configuration: { endpointCA: { name: "postgres-backups-authority", key: "ca.crt" } } });
});

test("new servers begin with what an archive holds, as of a moment, and archive under another name", async () => {
  const options = { backup: { ...backup, server: "dev-postgres-2" }, restore: { server: "dev-postgres", until: "2026-11-30T03:00:00Z" } };
  const { bootstrap, externalClusters, plugins } = only(await builtModule(postgres, { options }), `${CNPG}:Cluster`).inputs["spec"] as Record<string, unknown>;
  expect(bootstrap).toEqual({
    recovery: {
      source: "origin",
      database: "apps",
      owner: "apps",
      secret: { name: "postgres-apps" },
      recoveryTarget: { targetTime: "2026-11-30T03:00:00Z" },
    },
  });
  const archive = (serverName: string) => ({ name: "barman-cloud.cloudnative-pg.io", parameters: { barmanObjectName: "postgres", serverName } });
  expect(externalClusters).toEqual([{ name: "origin", plugin: archive("dev-postgres") }]);
  expect(plugins).toEqual([{ ...archive("dev-postgres-2"), isWALArchiver: true }]);
});

test.each([
  ["a restore without backups", { restore: { server: "a" } }, /needs backup.server/],
  ["a restore over what is archived", { backup: { ...backup, server: "a" }, restore: { server: "a" } }, /would overwrite the archive/],
  ["a schedule of five fields", { backup: { ...backup, schedule: "0 3 * * *" } }, /six fields/],
  ["a moment that is none", { backup: { ...backup, server: "b" }, restore: { server: "a", until: "yesterday" } }, /a time such as/],
  ["a retention that is none", { backup: { ...backup, retention: "always" } }, /a time such as 30d/],
])("%s is refused", (_, options, message) => {
  expect(JSON.stringify(postgres.options.safeParse(options).error?.issues)).toMatch(message);
});

test.each([
  ["no database", {}, /at least one database/],
  ["an owner of two databases", { a: { owner: "x", path: "a", key: "b" }, b: { owner: "x", path: "a", key: "b" } }, /an owner of its own/],
  ["a reserved owner", { a: { owner: "postgres", path: "a", key: "b" } }, /is a name that Postgres keeps/],
  [
    "an owner whose Secret would be the operator's",
    { a: { owner: "superuser", path: "a", key: "b" } },
    /is the name of a Secret that Postgres' operator keeps/,
  ],
  ["an owner that names no object", { a: { owner: "shop_", path: "a", key: "b" } }, /not end with _/],
  ["a database that names no object", { _a: { owner: "shop", path: "a", key: "b" } }, /begin with a letter/],
])("%s is refused", (_, databases, message) => {
  expect(JSON.stringify(postgres.options.safeParse({ databases }).error?.issues)).toMatch(message);
});
