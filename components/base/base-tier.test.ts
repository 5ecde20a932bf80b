/** The exact objects of the base components that have no module of their own to be tested in. */
import type * as pulumi from "@pulumi/pulumi";
import { graphOf, registeredOf } from "../../tests/support/module-build";
import { only, plain, type Registered } from "../../tests/support/pulumi-mocks";
import { Credentials, type CredentialsArgs } from "./credentials";
import { MONITORING_KINDS, Monitoring, type MonitoringArgs } from "./monitoring";
import { Persistence, type PersistenceArgs } from "./persistence";
import { PostgresDatabase, type PostgresDatabaseArgs } from "./postgres-database";

type Opts = pulumi.ComponentResourceOptions;
const made = (make: (opts: Opts) => unknown): Promise<Registered[]> => registeredOf(({ kubernetes }) => void make({ providers: { kubernetes } }));
const refused = (make: (opts: Opts) => unknown): Promise<unknown> => made(make).catch((thrown: unknown) => thrown);
const specOf = (registered: readonly Registered[], type: string): unknown => plain(only(registered, type).inputs["spec"]);

describe("Credentials", () => {
  const build =
    (more: Partial<CredentialsArgs> = {}) =>
    (opts: Opts) =>
      new Credentials("c", { name: "db", namespace: "shop", values: { token: "t0ken" }, ...more }, opts);

  test("a Secret of plain values whose values are secret all the same", async () => {
    const { inputs } = only(await made(build({ labels: { a: "b" } })), "kubernetes:core/v1:Secret");
    expect(JSON.stringify(inputs["stringData"])).toContain("1b47061264138c4ac30d75fd1eb44270");
    expect(plain(inputs)).toMatchObject({ metadata: { name: "db", namespace: "shop", labels: { a: "b" } }, type: "Opaque", stringData: { token: "t0ken" } });
  });

  test.each([
    [{ type: "kubernetes.io/basic-auth", values: { username: "a" } }, "the Secret db of the type kubernetes.io/basic-auth needs password"],
    [{ type: "kubernetes.io/tls", values: {} }, "the Secret db of the type kubernetes.io/tls needs tls.crt and tls.key"],
    [{ values: {} }, "the Secret db has no values"],
  ] as const)("one without what its type needs is refused: %j", async (more, reason) => {
    expect(await refused(build(more))).toMatchObject({ propertyPath: "values", reason });
  });
});

describe("Persistence", () => {
  const build =
    (more: Partial<PersistenceArgs> = {}) =>
    (opts: Opts) =>
      new Persistence("p", { name: "photos", namespace: "shop", size: "10Gi", storageClass: "local-path", ...more }, opts);

  test("a claim that is not waited for, and that stays when its resource goes", async () => {
    const claim = only(await made(build()), "kubernetes:core/v1:PersistentVolumeClaim");
    expect(claim.inputs).toMatchObject({
      metadata: { name: "photos", namespace: "shop", annotations: { "pulumi.com/skipAwait": "true" } },
      spec: { accessModes: ["ReadWriteOnce"], storageClassName: "local-path", resources: { requests: { storage: "10Gi" } } },
    });
    expect(claim.retainOnDelete).toBe(true);
  });

  test("access and what becomes of it are options; a size that is none is refused", async () => {
    const claim = only(await made(build({ access: "ReadWriteMany", keep: false })), "kubernetes:core/v1:PersistentVolumeClaim");
    expect([claim.retainOnDelete, (claim.inputs["spec"] as { accessModes: string[] }).accessModes]).toEqual([false, ["ReadWriteMany"]]);
    expect(await refused(build({ size: "10GB" }))).toMatchObject({ propertyPath: "size", reason: '"10GB" is no size; write one such as 10Gi' });
  });
});

describe("Monitoring", () => {
  const rule = { alert: "ShopDown", expr: "up == 0", for: "5m", severity: "critical", summary: "the shop does not answer" } as const;
  const all: MonitoringArgs = {
    namespace: "shop",
    selector: { app: "shop" },
    services: [{ port: "metrics" }],
    pods: [{ port: "metrics", path: "/m", interval: "10s" }],
    rules: { shop: [rule] },
    kinds: Object.values(MONITORING_KINDS),
  };
  const build =
    (more: Partial<MonitoringArgs> = {}) =>
    (opts: Opts) =>
      new Monitoring("m", { ...all, ...more }, opts);

  test("who is asked for metrics, and when somebody is told", async () => {
    const registered = await made(build());
    const selector = { matchLabels: { app: "shop" } };
    expect(specOf(registered, "kubernetes:monitoring.coreos.com/v1:ServiceMonitor")).toEqual({
      selector,
      endpoints: [{ port: "metrics", path: "/metrics", interval: "30s" }],
    });
    expect(specOf(registered, "kubernetes:monitoring.coreos.com/v1:PodMonitor")).toEqual({
      selector,
      podMetricsEndpoints: [{ port: "metrics", path: "/m", interval: "10s" }],
    });
    expect(specOf(registered, "kubernetes:monitoring.coreos.com/v1:PrometheusRule")).toEqual({
      groups: [
        { name: "shop", rules: [{ alert: "ShopDown", expr: "up == 0", for: "5m", labels: { severity: "critical" }, annotations: { summary: rule.summary } }] },
      ],
    });
  });

  test("of a kind that the environment does not have nothing is made", async () => {
    expect(graphOf(await made(build({ kinds: [] })))).toEqual({});
    expect(Object.keys(graphOf(await made(build({ kinds: [MONITORING_KINDS.rules] }))))).toEqual([
      "kubernetes:monitoring.coreos.com/v1:PrometheusRule m-rules",
    ]);
  });

  test("two alerts of one name are refused", async () => {
    expect(await refused(build({ rules: { a: [rule], b: [rule] } }))).toMatchObject({ reason: "two rules are called ShopDown" });
  });
});

describe("PostgresDatabase", () => {
  const CNPG = "kubernetes:postgresql.cnpg.io/v1";
  const servers = {
    instances: 1,
    image: "ghcr.io/cloudnative-pg/postgresql:17.6-standard-bookworm",
    size: "10Gi",
    storageClass: "local-path",
    resources: { cpu: "250m", memory: "512Mi", memoryLimit: "1Gi" },
  };
  const backup = { destination: "s3://backups/pg", endpoint: "https://s3.example.org", secret: "s3", schedule: "0 0 3 * * *", retention: "30d", server: "pg" };
  const build =
    (more: Partial<PostgresDatabaseArgs> = {}) =>
    (opts: Opts) =>
      new PostgresDatabase(
        "d",
        { namespace: "shop", cluster: "pg", database: "shop", owner: "web_shop", password: "x", extensions: ["vector"], ...more },
        opts,
      );

  test("servers of its own, with its owner's Secret before them, and backups after", async () => {
    const registered = await made(build({ servers: { ...servers, backup } }));
    expect(graphOf(registered)).toEqual({
      "kubernetes:core/v1:Secret d-owner-secret": "given-cluster",
      "kubernetes:barmancloud.cnpg.io/v1:ObjectStore d-store": "given-cluster",
      [`${CNPG}:Cluster d-servers`]: "given-cluster after d-owner-secret, d-store",
      [`${CNPG}:ScheduledBackup d-backups`]: "given-cluster after d-servers",
    });
    expect(plain(only(registered, "kubernetes:core/v1:Secret").inputs)).toMatchObject({
      metadata: { name: "pg-web-shop", labels: { "cnpg.io/reload": "true" } },
      type: "kubernetes.io/basic-auth",
      stringData: { username: "web_shop", password: "x" },
    });
    const cluster = only(registered, `${CNPG}:Cluster`);
    expect(cluster.retainOnDelete).toBe(true);
    expect(cluster.inputs).toEqual({
      apiVersion: "postgresql.cnpg.io/v1",
      kind: "Cluster",
      metadata: { name: "pg", namespace: "shop", annotations: { "pulumi.com/waitFor": "condition=Ready" } },
      spec: {
        instances: 1,
        imageName: servers.image,
        enableSuperuserAccess: false,
        storage: { size: "10Gi", storageClass: "local-path" },
        resources: { requests: { cpu: "250m", memory: "512Mi" }, limits: { memory: "1Gi" } },
        bootstrap: {
          initdb: {
            database: "shop",
            owner: "web_shop",
            secret: { name: "pg-web-shop" },
            dataChecksums: true,
            postInitApplicationSQL: ['CREATE EXTENSION IF NOT EXISTS "vector"'],
          },
        },
        plugins: [{ name: "barman-cloud.cloudnative-pg.io", isWALArchiver: true, parameters: { barmanObjectName: "pg", serverName: "pg" } }],
        enablePDB: false,
      },
    });
    expect(specOf(registered, `${CNPG}:ScheduledBackup`)).toEqual({
      cluster: { name: "pg" },
      schedule: "0 0 3 * * *",
      immediate: true,
      backupOwnerReference: "self",
      method: "plugin",
      pluginConfiguration: { name: "barman-cloud.cloudnative-pg.io" },
    });
    expect(specOf(registered, "kubernetes:barmancloud.cnpg.io/v1:ObjectStore")).toEqual({
      retentionPolicy: "30d",
      configuration: {
        destinationPath: "s3://backups/pg",
        endpointURL: "https://s3.example.org",
        s3Credentials: { accessKeyId: { name: "s3", key: "ACCESS_KEY_ID" }, secretAccessKey: { name: "s3", key: "SECRET_ACCESS_KEY" } },
        wal: { compression: "gzip" },
        data: { compression: "gzip" },
      },
    });
  });

  test("in servers that are there: the role, then the database that it owns, and neither is dropped with its resource", async () => {
    const registered = await made(build());
    expect(graphOf(registered)).toEqual({
      "kubernetes:core/v1:Secret d-owner-secret": "given-cluster",
      [`${CNPG}:DatabaseRole d-role`]: "given-cluster after d-owner-secret",
      [`${CNPG}:Database d-database`]: "given-cluster after d-role",
    });
    expect(specOf(registered, `${CNPG}:DatabaseRole`)).toEqual({
      cluster: { name: "pg" },
      name: "web_shop",
      login: true,
      passwordSecret: { name: "pg-web-shop" },
      databaseRoleReclaimPolicy: "retain",
    });
    expect(specOf(registered, `${CNPG}:Database`)).toEqual({
      cluster: { name: "pg" },
      name: "shop",
      owner: "web_shop",
      databaseReclaimPolicy: "retain",
      extensions: [{ name: "vector", ensure: "present" }],
    });
  });

  test.each([
    [{ owner: "postgres" }, "owner", '"postgres" is a name that Postgres keeps'],
    [{ database: "pg_shop" }, "database", '"pg_shop" is a name that Postgres keeps'],
    [{ database: "Shop" }, "database", '"Shop" must be of a-z, 0-9 and _, begin with a letter, and not end with _'],
    [{ servers: { ...servers, instances: 0 } }, "servers.instances", "0 is no number of servers"],
    [
      { servers: { ...servers, backup: { ...backup, schedule: "0 3 * * *" } } },
      "servers.backup.schedule",
      '"0 3 * * *" must have six fields, with seconds first: 0 0 3 * * *',
    ],
    [
      { servers: { ...servers, backup, restore: { server: "pg" } } },
      "servers.restore",
      "needs a backup under another server name: otherwise it would overwrite the archive that it restores from",
    ],
  ] as const)("%j is refused", async (more, propertyPath, reason) => {
    expect(await refused(build(more))).toMatchObject({ propertyPath, reason });
  });
});
