import type * as pulumi from "@pulumi/pulumi";
import { Component } from "../../base/component";
import { Namespace, type NamespaceArgs } from "../../base/namespace";
import { PostgresDatabase } from "../../base/postgres-database";
import type { PostgresServers } from "../../base/postgres-spec";
import type { BuildModule } from "../context";
import type { PostgresOptions } from "./options";
import { POSTGRES_CLUSTER, POSTGRES_NAMESPACE, postgresServers } from "./values";

interface DatabaseArgs {
  readonly name: string;
  readonly owner: string;
  readonly extensions: readonly string[];
  /** Secret. */
  readonly password: pulumi.Input<string>;
}

export interface PostgresArgs {
  namespace: NamespaceArgs;
  servers: PostgresServers;
  /** The servers are made for the first; the others come into them. */
  databases: readonly DatabaseArgs[];
}

/** Postgres servers, with a database and an owner for each that asks for one. */
export class Postgres extends Component {
  constructor(name: string, args: PostgresArgs, opts?: pulumi.ComponentResourceOptions) {
    super("platform:Postgres", name, opts);
    const { namespace } = new Namespace(`${name}-ns`, args.namespace, this.child());
    let first: PostgresDatabase | undefined;
    for (const { name: database, ...rest } of args.databases) {
      const own = first === undefined ? { servers: args.servers } : {};
      const made = new PostgresDatabase(
        `${name}-${database}`,
        { namespace, cluster: POSTGRES_CLUSTER, database, ...rest, ...own },
        this.child(first === undefined ? {} : { dependsOn: [first] }),
      );
      first ??= made;
    }
    this.registerOutputs({});
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
  const servers = postgresServers(options, options.storageClass ?? storageClass, `postgres.${domain}`);
  return { component: new Postgres(name, { namespace: context.namespace(POSTGRES_NAMESPACE), servers, databases }, opts) };
};
