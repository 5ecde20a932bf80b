/** Databases of CloudNativePG as typed arguments, and the `spec` of the objects that they are. Plain data. */
import type * as pulumi from "@pulumi/pulumi";

/** Where backups go. */
export interface PostgresBackup {
  /** `s3://bucket/folder` */
  readonly destination: string;
  /** URL of the S3 API, where it is not that of AWS. */
  readonly endpoint: string;
  /** Secret with `ACCESS_KEY_ID` and `SECRET_ACCESS_KEY`, in the namespace of the servers. */
  readonly secret: pulumi.Input<string>;
  /** Six fields with seconds, as CloudNativePG takes them: `0 0 3 * * *`. */
  readonly schedule: string;
  /** How far back one can go, such as `30d`. */
  readonly retention: string;
}

/** Servers of their own for one database. */
export interface PostgresServers {
  /** More than one: the others follow the first, and one of them takes its place. */
  readonly instances: number;
  /** With its tag or digest; the major version cannot be changed by this alone. */
  readonly image: string;
  /** Of each volume, such as `10Gi`. */
  readonly size: string;
  readonly storageClass: string;
  readonly resources: { readonly cpu: string; readonly memory: string; readonly memoryLimit: string };
  /** Libraries that the server loads when it starts, such as `vchord.so`. */
  readonly preload?: readonly string[];
  /** Parameters of the server beside the defaults. */
  readonly parameters?: Readonly<Record<string, string>>;
  /** Full name under which clients outside the cluster reach the server that takes writes, by a balancer. Left out: they do not. */
  readonly host?: string;
  readonly backup?: PostgresBackup;
}

/** Name of the plugin that archives to object stores. */
const BARMAN_PLUGIN = "barman-cloud.cloudnative-pg.io";

export interface ServersSpecArgs {
  readonly cluster: string;
  readonly servers: PostgresServers;
  readonly database: string;
  readonly owner: string;
  /** Secret with `username` and `password` of the owner. */
  readonly secret: pulumi.Input<string>;
  readonly extensions: readonly string[];
}

/** Identifiers of SQL in quotes, which double the quote inside. */
const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** A Service of the operator for who is outside the cluster. */
const outsideService = (cluster: string, host: string) => ({
  selectorType: "rw",
  serviceTemplate: {
    metadata: { name: `${cluster}-outside`, annotations: { "external-dns.alpha.kubernetes.io/hostname": host } },
    spec: { type: "LoadBalancer" },
  },
});

/** Of the `Cluster`. What it leaves out the operator fills in. */
export function serversSpec({ cluster, servers, database, owner, secret, extensions }: ServersSpecArgs) {
  const { instances, image, size, storageClass, resources, parameters, preload, host, backup } = servers;
  const postgresql = {
    ...(parameters === undefined ? {} : { parameters: { ...parameters } }),
    ...(preload === undefined ? {} : { shared_preload_libraries: [...preload] }),
  };
  return {
    instances,
    imageName: image,
    // Nobody logs in as the superuser; the operator does by its socket.
    enableSuperuserAccess: false,
    storage: { size, storageClass },
    resources: { requests: { cpu: resources.cpu, memory: resources.memory }, limits: { memory: resources.memoryLimit } },
    bootstrap: {
      initdb: {
        database,
        owner,
        secret: { name: secret },
        dataChecksums: true,
        ...(extensions.length === 0 ? {} : { postInitApplicationSQL: extensions.map((name) => `CREATE EXTENSION IF NOT EXISTS ${identifier(name)}`) }),
      },
    },
    ...(Object.keys(postgresql).length === 0 ? {} : { postgresql }),
    ...(host === undefined ? {} : { managed: { services: { additional: [outsideService(cluster, host)] } } }),
    ...(backup === undefined ? {} : { plugins: [{ name: BARMAN_PLUGIN, isWALArchiver: true, parameters: { barmanObjectName: cluster } }] }),
    // Of one server it would only keep a node from being drained.
    enablePDB: instances > 1,
  };
}

/** Of the `ObjectStore` of backups. */
export function storeSpec({ destination, endpoint, secret, retention }: PostgresBackup) {
  return {
    retentionPolicy: retention,
    configuration: {
      destinationPath: destination,
      endpointURL: endpoint,
      s3Credentials: { accessKeyId: { name: secret, key: "ACCESS_KEY_ID" }, secretAccessKey: { name: secret, key: "SECRET_ACCESS_KEY" } },
      wal: { compression: "gzip" },
      data: { compression: "gzip" },
    },
  };
}

/** Of the `ScheduledBackup`; the first one is made at once. */
export const scheduleSpec = (cluster: string, { schedule }: PostgresBackup) => ({
  cluster: { name: cluster },
  schedule,
  immediate: true,
  backupOwnerReference: "self",
  method: "plugin",
  pluginConfiguration: { name: BARMAN_PLUGIN },
});

/** Of the `DatabaseRole` in servers that are there. */
export const roleSpec = (cluster: string, owner: string, secret: pulumi.Input<string>) => ({
  cluster: { name: cluster },
  name: owner,
  login: true,
  passwordSecret: { name: secret },
  // The role goes with the program's resource where it owns nothing any more; data never goes by itself.
  databaseRoleReclaimPolicy: "retain",
});

/** Of the `Database` in servers that are there. */
export const databaseSpec = (cluster: string, database: string, owner: string, extensions: readonly string[]) => ({
  cluster: { name: cluster },
  name: database,
  owner,
  databaseReclaimPolicy: "retain",
  ...(extensions.length === 0 ? {} : { extensions: extensions.map((name) => ({ name, ensure: "present" })) }),
});
