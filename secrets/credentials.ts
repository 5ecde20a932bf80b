/**
 * Credentials that we make ourselves. Each has one place, an entry of secrets/common, from which all that use it take the
 * same value; nothing else in the program makes one.
 */

import * as crypto from "node:crypto";
import { HomelabError } from "../common/errors";
import { storePath } from "../common/vault-layout";
import type { SecretEntry } from "./vault-paths";

export interface Credential {
  /** As the command names it. */
  name: string;
  /** Path of its entry. */
  entry: string;
  /** The part of the homelab that the credential belongs to: who accepts it. */
  owner: string;
  /** Who else reads it, and restarts when it changes. */
  consumers: readonly string[];
  /** Whether the program builds the owner. If it does not yet, a new value is only stored in Git and Vault. */
  built: boolean;
  /** New values for its keys. */
  make(): Promise<SecretEntry>;
}

const BYTES = 24;
const BCRYPT_ROUNDS = 10;

/** 192 bits that need no quoting anywhere. */
function password(like?: RegExp): string {
  for (;;) {
    const made = crypto.randomBytes(BYTES).toString("base64url");
    if (like === undefined || like.test(made)) return made;
  }
}
/** Random text of exactly this length, for programs that require one. */
const letters = (count: number): string => crypto.randomBytes(count).toString("hex").slice(0, count);
const one = (key: string) => async (): Promise<SecretEntry> => ({ [key]: password() });

/** The password with which an environment's collector (its box) sends to the hub. Each has its own: none can send in another one's name. */
const box = (environment: string): Credential => {
  const name = `BOX_${environment.toUpperCase()}`;
  return {
    name: `box-${environment}`,
    entry: storePath(name),
    owner: "the hub's collector (stack observability; its pods restart)",
    built: true,
    consumers: [`the box of ${environment} (its pods restart)`],
    make: one(`${name}_PASSWORD`),
  };
};

export const CREDENTIALS: readonly Credential[] = [
  {
    name: "minio",
    entry: storePath("MINIO"),
    owner: "MinIO (stack tools, its Deployment restarts)",
    built: true,
    consumers: ["backups that log in as the root user"],
    make: one("rootPassword"),
  },
  {
    name: "postgres",
    entry: storePath("POSTGRES"),
    owner: "PostgreSQL (stack tools; its operator gives the role the new password)",
    built: true,
    consumers: ["Harbor", "applications with a database"],
    make: one("POSTGRES_PASSWORD"),
  },
  {
    name: "postgres-dev",
    entry: storePath("POSTGRES_DEV"),
    owner: "PostgreSQL (stack dev; its operator gives the role the new password)",
    built: true,
    consumers: ["applications of dev with a database"],
    make: one("POSTGRES_DEV_PASSWORD"),
  },
  {
    name: "minio-users",
    entry: storePath("MINIO_USERS"),
    owner: "MinIO (stack tools; the Job of its release gives each user the new key)",
    built: true,
    consumers: ["backups of Postgres (stacks tools and dev)", "the nightly backup of states (stack tools)"],
    make: async () => ({ "postgres-backups": password(), "state-reader": password(), "state-backup": password() }),
  },
  {
    name: "redis",
    entry: storePath("REDIS"),
    owner: "Valkey (stack tools; its pod restarts)",
    built: true,
    consumers: ["Harbor", "Memorizer", "Writer"],
    make: one("REDIS_PASSWORD"),
  },
  {
    name: "immich",
    entry: storePath("IMMICH"),
    owner: "Immich's database and Valkey (stack home; its operator gives the role the new password, Valkey and the server restart)",
    built: true,
    consumers: [],
    make: async () => ({ DB_PASSWORD: password(), VALKEY_PASSWORD: password() }),
  },
  {
    name: "harbor-first",
    entry: storePath("HARBOR_FIRST"),
    owner: "Harbor, at its first start: the password of its user admin is changed there afterwards, and what it has encrypted needs its key for good",
    built: true,
    consumers: [],
    make: async () => ({ HARBOR_ADMIN_PASSWORD: password(), HARBOR_SECRET_KEY: letters(16) }),
  },
  {
    name: "harbor",
    entry: storePath("HARBOR"),
    owner: "Harbor (stack tools; its parts restart, and the operator of Postgres gives the role the new password)",
    built: true,
    consumers: [],
    async make() {
      const { hash } = await import("bcryptjs");
      const registry = password();
      return {
        HARBOR_REGISTRY_PASSWORD: registry,
        HARBOR_CORE_SECRET: letters(16),
        HARBOR_XSRF_KEY: letters(32),
        HARBOR_JOBSERVICE_SECRET: letters(16),
        HARBOR_REGISTRY_SECRET: letters(16),
        HARBOR_REGISTRY_HTPASSWD: `harbor_registry_user:${await hash(registry, BCRYPT_ROUNDS)}`,
        HARBOR_DB_PASSWORD: password(),
        HARBOR_VALKEY_PASSWORD: password(),
      };
    },
  },
  {
    name: "harbor-robot",
    entry: storePath("HARBOR_KEY"),
    owner: "Harbor (stack tools; it gives its account pipelines the new secret)",
    built: true,
    consumers: ["pipelines that push images"],
    // Harbor requires an upper-case letter, a lower-case letter and a digit.
    make: async () => ({ HARBOR_KEY: password(/(?=.*[A-Z])(?=.*[a-z])(?=.*\d)/) }),
  },
  {
    name: "nats",
    entry: storePath("NATS"),
    owner: "NATS (stack tools; its pod restarts)",
    built: true,
    consumers: ["applications with a queue"],
    make: one("NATS_PASSWORD"),
  },
  {
    name: "argocd",
    entry: storePath("ARGOCD"),
    owner: "Argo CD (stack dev; it takes the new value up by itself)",
    built: true,
    consumers: [],
    async make() {
      const { hash } = await import("bcryptjs");
      const plain = password();
      return { ADMIN_PASSWORD: plain, ADMIN_PASSWORD_BCRYPT: await hash(plain, BCRYPT_ROUNDS) };
    },
  },
  {
    name: "grafana",
    entry: storePath("GRAFANA"),
    owner: "Grafana (stack observability; its pod must be restarted: kubectl -n monitoring rollout restart deployment/kube-prometheus-stack-grafana)",
    built: true,
    consumers: [],
    make: one("GRAFANA_PASSWORD"),
  },
  ...["tools", "observability", "home", "sandboxy", "dev", "stg", "prod"].map(box),
];

/** @throws HomelabError E_USAGE */
export function credentialOf(name: string): Credential {
  const found = CREDENTIALS.find((credential) => credential.name === name);
  if (found === undefined)
    throw new HomelabError("E_USAGE", `"${name}" is not a credential that homelab generates`, {
      hint: `take one of: ${CREDENTIALS.map((c) => c.name).join(", ")}`,
    });
  return found;
}
