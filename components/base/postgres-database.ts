import { CustomResource } from "@pulumi/kubernetes/apiextensions/customResource";
import * as pulumi from "@pulumi/pulumi";
import { after, Component, timeouts } from "./component";
import { Credentials } from "./credentials";
import { postgresNameProblem } from "./postgres-names";
import { databaseSpec, type PostgresServers, roleSpec, scheduleSpec, serversSpec, storeSpec } from "./postgres-spec";

const API = "postgresql.cnpg.io/v1";
const STORE_API = "barmancloud.cnpg.io/v1";

export interface PostgresDatabaseArgs {
  /** Namespace of the servers. */
  readonly namespace: pulumi.Input<string>;
  /** Name of the servers' `Cluster`. */
  readonly cluster: string;
  /** Servers to make for this database. Left out: the servers exist, and the database and its role are added to them. */
  readonly servers?: PostgresServers;
  readonly database: string;
  /** Role that owns the database, and its password. */
  readonly owner: string;
  readonly password: pulumi.Input<string>;
  /** Extensions that the image has, such as `vector`. */
  readonly extensions?: readonly string[];
}

/** @throws pulumi.InputPropertyError for names that Postgres or its operator keep for themselves, or that must be quoted */
function validatePostgresDatabase({ database, owner, servers }: PostgresDatabaseArgs): void {
  for (const [property, name] of [
    ["database", database],
    ["owner", owner],
  ] as const) {
    const reason = postgresNameProblem(property, name);
    if (reason !== undefined) throw new pulumi.InputPropertyError({ propertyPath: property, reason: `"${name}" ${reason}` });
  }
  if (servers !== undefined && (!Number.isInteger(servers.instances) || servers.instances < 1))
    throw new pulumi.InputPropertyError({ propertyPath: "servers.instances", reason: `${servers.instances} is no number of servers` });
  if (servers?.restore !== undefined && (servers.backup === undefined || servers.backup.server === servers.restore.server))
    throw new pulumi.InputPropertyError({
      propertyPath: "servers.restore",
      reason: "needs a backup under another server name: otherwise it would overwrite the archive that it restores from",
    });
  if (servers?.backup !== undefined && servers.backup.schedule.trim().split(/\s+/).length !== 6 && !servers.backup.schedule.startsWith("@"))
    throw new pulumi.InputPropertyError({
      propertyPath: "servers.backup.schedule",
      reason: `"${servers.backup.schedule}" must have six fields, with seconds first: 0 0 3 * * *`,
    });
}

/** A database of CloudNativePG with its owner: in servers of its own, with their backups, or in servers that exist. */
export class PostgresDatabase extends Component {
  /** Inside the cluster, of the server that takes writes; known once the database exists. */
  readonly host: pulumi.Output<string>;
  readonly port = 5432;
  /** Secret with `username` and `password`, in the servers' namespace. */
  readonly secretName: pulumi.Output<string>;

  constructor(name: string, args: PostgresDatabaseArgs, opts?: pulumi.ComponentResourceOptions) {
    validatePostgresDatabase(args);
    super("base:PostgresDatabase", name, opts);
    const { cluster, servers, database, owner, extensions = [] } = args;
    const { secretName } = new Credentials(
      `${name}-owner`,
      {
        name: `${cluster}-${owner.replaceAll("_", "-")}`,
        namespace: args.namespace,
        type: "kubernetes.io/basic-auth",
        values: { username: owner, password: args.password },
        // Makes the operator read the Secret again when it changes.
        labels: { "cnpg.io/reload": "true" },
      },
      this.child(),
    );
    this.secretName = secretName;
    const made =
      servers === undefined
        ? this.inServers(name, args, extensions)
        : this.ownServers(name, args, serversSpec({ cluster, servers, database, owner, secret: secretName, extensions }));
    this.host = after(made, pulumi.interpolate`${cluster}-rw.${args.namespace}.svc`);
    this.registerOutputs({ host: this.host, secretName: this.secretName });
  }

  private ownServers(name: string, { cluster, namespace, servers }: PostgresDatabaseArgs, spec: object): pulumi.Resource[] {
    const metadata = { name: cluster, namespace };
    const backup = servers?.backup;
    const store =
      backup === undefined
        ? []
        : [new CustomResource(`${name}-store`, { apiVersion: STORE_API, kind: "ObjectStore", metadata, spec: storeSpec(backup) }, this.child())];
    const own = new CustomResource(
      `${name}-servers`,
      { apiVersion: API, kind: "Cluster", metadata: { ...metadata, annotations: { "pulumi.com/waitFor": "condition=Ready" } }, spec },
      // What holds data is not deleted with the program's resource.
      this.child({ dependsOn: store, customTimeouts: timeouts(20), retainOnDelete: true }),
    );
    if (backup !== undefined) {
      const args = { apiVersion: API, kind: "ScheduledBackup", metadata, spec: scheduleSpec(cluster, backup) };
      new CustomResource(`${name}-backups`, args, this.child({ dependsOn: [own] }));
    }
    return [own];
  }

  private inServers(name: string, { cluster, namespace, database, owner }: PostgresDatabaseArgs, extensions: readonly string[]): pulumi.Resource[] {
    const metadata = (of: string) => ({ name: `${cluster}-${of.replaceAll("_", "-")}`, namespace });
    const role = new CustomResource(
      `${name}-role`,
      { apiVersion: API, kind: "DatabaseRole", metadata: metadata(owner), spec: roleSpec(cluster, owner, this.secretName) },
      this.child(),
    );
    const own = new CustomResource(
      `${name}-database`,
      { apiVersion: API, kind: "Database", metadata: metadata(database), spec: databaseSpec(cluster, database, owner, extensions) },
      this.child({ dependsOn: [role] }),
    );
    return [role, own];
  }
}
