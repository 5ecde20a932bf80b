/** Names of databases and roles. Each gives the name of an object of Kubernetes, with `-` for `_`. Pure. */

const NAME = /^[a-z]([a-z0-9_]{0,61}[a-z0-9])?$/;
/** Of Postgres and its operator. */
const RESERVED = /^(postgres$|streaming_replica$|template[01]$|pg_|cnpg_)/;
/** The owner's Secret is `<cluster>-<owner>`; the operator has Secrets of its own there (CloudNativePG 1.30, "Certificates" and "Connecting from an application"). */
const SECRETS_OF_OPERATOR = new Set(["app", "ca", "replication", "server", "superuser"]);

/** What is wrong with a name; undefined: nothing. */
export function postgresNameProblem(of: "database" | "owner", name: string): string | undefined {
  if (!NAME.test(name)) return "must be of a-z, 0-9 and _, begin with a letter, and not end with _";
  if (RESERVED.test(name)) return "is a name that Postgres keeps";
  if (of === "owner" && SECRETS_OF_OPERATOR.has(name)) return "is the name of a Secret that Postgres' operator keeps";
  return undefined;
}
