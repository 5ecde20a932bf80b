import type * as pulumi from "@pulumi/pulumi";
import { Component } from "../../base/component";
import { Credentials } from "../../base/credentials";
import { Namespace, type NamespaceArgs } from "../../base/namespace";
import { PostgresDatabase } from "../../base/postgres-database";
import type { PostgresBackup, PostgresServers } from "../../base/postgres-spec";
import type { BuildModule } from "../context";
import type { PostgresOptions } from "./options";
import { AUTHORITY_SECRET, BACKUP_SECRET, POSTGRES_CLUSTER, POSTGRES_NAMESPACE, postgresBackup, postgresServers } from "./values";

interface DatabaseArgs {
  readonly name: string;
  readonly owner: string;
  readonly extensions: readonly string[];
  /** Secret. */
  readonly password: pulumi.Input<string>;
}

/** Describes the archive, from the names of its Secrets. */
type BackupOf = (secrets: Parameters<typeof postgresBackup>[2]) => PostgresBackup | undefined;
/** Label of a Secret that the operator reads again when it changes. */
const RELOADED = { "cnpg.io/reload": "true" };

export interface PostgresArgs {
  namespace: NamespaceArgs;
  servers: PostgresServers;
  /** Keys of the archive's user, and the authority to trust at its address. Left out: no backups. */
  backup?: { readonly user: string; readonly key: pulumi.Input<string>; readonly authority: pulumi.Input<string> | undefined; readonly spec: BackupOf };
  /** The servers are made for the first database; the others are added to them. */
  databases: readonly DatabaseArgs[];
}

/** Postgres servers, with databases that have an owner each. */
export class Postgres extends Component {
  constructor(name: string, args: PostgresArgs, opts?: pulumi.ComponentResourceOptions) {
    super("platform:Postgres", name, opts);
    const { namespace } = new Namespace(`${name}-ns`, args.namespace, this.child());
    const backup = args.backup === undefined ? undefined : this.#backup(name, namespace, args.backup);
    let first: PostgresDatabase | undefined;
    for (const { name: database, ...rest } of args.databases) {
      const own = first === undefined ? { servers: { ...args.servers, ...(backup === undefined ? {} : { backup }) } } : {};
      const made = new PostgresDatabase(
        `${name}-${database}`,
        { namespace, cluster: POSTGRES_CLUSTER, database, ...rest, ...own },
        this.child(first === undefined ? {} : { dependsOn: [first] }),
      );
      first ??= made;
    }
    this.registerOutputs({});
  }

  /** Makes the Secrets of the archive, and describes it. */
  #backup(name: string, namespace: pulumi.Output<string>, { user, key, authority, spec }: NonNullable<PostgresArgs["backup"]>): PostgresBackup | undefined {
    const values = { ACCESS_KEY_ID: user, SECRET_ACCESS_KEY: key };
    const keys = new Credentials(`${name}-backups`, { name: BACKUP_SECRET, namespace, values, labels: RELOADED }, this.child());
    const trusted =
      authority === undefined
        ? undefined
        : new Credentials(`${name}-backups-authority`, { name: AUTHORITY_SECRET, namespace, values: { "ca.crt": authority } }, this.child());
    return spec({ keys: keys.secretName, authority: trusted?.secretName });
  }
}

export const buildPostgres: BuildModule<PostgresOptions> = (name, { options, context }, opts) => {
  const { domain, storageClass } = context.place;
  const databases = Object.entries(options.databases).map(([database, { owner, extensions, path, key }]) => ({
    name: database,
    owner,
    extensions,
    password: context.programSecrets.get(path, key),
  }));
  const servers = postgresServers(options, options.storageClass ?? storageClass, `${options.host}.${domain}`);
  const backup =
    options.backup === undefined
      ? {}
      : {
          backup: {
            user: options.backup.user,
            key: context.programSecrets.get(options.backup.path, options.backup.key),
            authority: context.vaultAuthority,
            spec: (secrets: Parameters<typeof postgresBackup>[2]) => postgresBackup(options, context.place, secrets),
          },
        };
  return { component: new Postgres(name, { namespace: context.namespace(POSTGRES_NAMESPACE), servers, databases, ...backup }, opts) };
};
