/** Databases of CloudNativePG as typed arguments, and the `spec` of the objects made from them. Plain data. */
import type * as pulumi from "@pulumi/pulumi";

/** Where backups go. */
export interface PostgresBackup {
  /** `s3://bucket/folder` */
  readonly destination: string;
  /** URL of the S3 API, where it is not that of AWS. */
  readonly endpoint: string;
  /** Secret with `ACCESS_KEY_ID` and `SECRET_ACCESS_KEY`, in the namespace of the servers. */
  readonly secret: pulumi.Input<string>;
  /** Secret with `ca.crt`, the authority of the endpoint's certificate. Left out: the public authorities. */
  readonly authority?: pulumi.Input<string>;
  /** Name in the archive. */
  readonly server: string;
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
  /** New servers start with the data of this archive. Needs `backup`: the archive is read from its store. */
  readonly restore?: PostgresRestore;
}

/** What an archive holds. */
export interface PostgresRestore {
  /** Name in the archive. */
  readonly server: string;
  /** Point in time, ISO 8601. Left out: the newest that the archive has. */
  readonly until?: string | undefined;
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

/** The servers as they are archived, in `externalClusters`. */
const ORIGIN = "origin";

const created = ({ database, owner, secret, extensions }: ServersSpecArgs) => ({
  initdb: {
    database,
    owner,
    secret: { name: secret },
    dataChecksums: true,
    ...(extensions.length === 0 ? {} : { postInitApplicationSQL: extensions.map((name) => `CREATE EXTENSION IF NOT EXISTS ${identifier(name)}`) }),
  },
});

/** The restored data has its extensions. The owner gets the current password. */
const restored = ({ until }: PostgresRestore, { database, owner, secret }: ServersSpecArgs) => ({
  recovery: { source: ORIGIN, database, owner, secret: { name: secret }, ...(until === undefined ? {} : { recoveryTarget: { targetTime: until } }) },
});

const archive = (store: string, server: string) => ({ name: BARMAN_PLUGIN, parameters: { barmanObjectName: store, serverName: server } });

/** A Service that the operator makes for clients outside the cluster. */
const outsideService = (cluster: string, host: string) => ({
  selectorType: "rw",
  serviceTemplate: {
    metadata: { name: `${cluster}-outside`, annotations: { "external-dns.alpha.kubernetes.io/hostname": host } },
    spec: { type: "LoadBalancer" },
  },
});

/** `spec` of the `Cluster`. The operator fills in what is left out. */
export function serversSpec(args: ServersSpecArgs) {
  const { cluster, servers } = args;
  const { instances, image, size, storageClass, resources, parameters, preload, host, backup, restore } = servers;
  const postgresql = {
    ...(parameters === undefined ? {} : { parameters: { ...parameters } }),
    ...(preload === undefined ? {} : { shared_preload_libraries: [...preload] }),
  };
  return {
    instances,
    imageName: image,
    // Nobody can log in as the superuser, except the operator by the local socket.
    enableSuperuserAccess: false,
    storage: { size, storageClass },
    resources: { requests: { cpu: resources.cpu, memory: resources.memory }, limits: { memory: resources.memoryLimit } },
    bootstrap: restore === undefined ? created(args) : restored(restore, args),
    ...(restore === undefined ? {} : { externalClusters: [{ name: ORIGIN, plugin: archive(cluster, restore.server) }] }),
    ...(Object.keys(postgresql).length === 0 ? {} : { postgresql }),
    ...(host === undefined ? {} : { managed: { services: { additional: [outsideService(cluster, host)] } } }),
    ...(backup === undefined ? {} : { plugins: [{ ...archive(cluster, backup.server), isWALArchiver: true }] }),
    // With one server it would only prevent the drain of its node.
    enablePDB: instances > 1,
  };
}

/** `spec` of the `ObjectStore` of backups. */
export function storeSpec({ destination, endpoint, secret, authority, retention }: PostgresBackup) {
  return {
    retentionPolicy: retention,
    configuration: {
      destinationPath: destination,
      endpointURL: endpoint,
      ...(authority === undefined ? {} : { endpointCA: { name: authority, key: "ca.crt" } }),
      s3Credentials: { accessKeyId: { name: secret, key: "ACCESS_KEY_ID" }, secretAccessKey: { name: secret, key: "SECRET_ACCESS_KEY" } },
      wal: { compression: "gzip" },
      data: { compression: "gzip" },
    },
  };
}

/** `spec` of the `ScheduledBackup`. The first backup is made at once. */
export const scheduleSpec = (cluster: string, { schedule }: PostgresBackup) => ({
  cluster: { name: cluster },
  schedule,
  immediate: true,
  backupOwnerReference: "self",
  method: "plugin",
  pluginConfiguration: { name: BARMAN_PLUGIN },
});

/** `spec` of the `DatabaseRole` in servers that exist. */
export const roleSpec = (cluster: string, owner: string, secret: pulumi.Input<string>) => ({
  cluster: { name: cluster },
  name: owner,
  login: true,
  passwordSecret: { name: secret },
  // The role stays in the servers when this object is deleted, and so does the database below.
  databaseRoleReclaimPolicy: "retain",
});

/** `spec` of the `Database` in servers that exist. */
export const databaseSpec = (cluster: string, database: string, owner: string, extensions: readonly string[]) => ({
  cluster: { name: cluster },
  name: database,
  owner,
  databaseReclaimPolicy: "retain",
  ...(extensions.length === 0 ? {} : { extensions: extensions.map((name) => ({ name, ensure: "present" })) }),
});
