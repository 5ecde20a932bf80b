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
  /** The module of the platform that accepts it. */
  module: string;
  /** The part of the homelab that the credential belongs to, and the stacks that have it: who accepts it. */
  owner: string;
  /** Who else reads it, and restarts when it changes. */
  consumers: readonly string[];
  /** Whether a stack has the owner. If none does yet, a new value is only stored in Git and Vault. */
  built: boolean;
  /** New values for its keys. */
  make(): Promise<SecretEntry>;
}

/** A stack as the matrix has it, as far as credentials depend on it. */
export interface StackModules {
  name: string;
  modules: readonly {
    name: string;
    /** Paths of entries that its options name. */
    entries: readonly string[];
  }[];
}

/** A credential of which a homelab has one, whichever stacks its owner is in. */
interface Kind extends Pick<Credential, "name" | "entry" | "module" | "make"> {
  owner: string;
  /** What the owner does with a new value: most restart. */
  restarts: string;
  /** Who else reads it; with `module`, its stacks are named. */
  consumers: readonly { who: string; module?: string }[];
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

const KINDS: readonly Kind[] = [
  {
    name: "minio",
    entry: storePath("MINIO"),
    module: "minio",
    owner: "MinIO",
    restarts: "its Deployment restarts",
    consumers: [{ who: "backups that log in as the root user" }],
    make: one("rootPassword"),
  },
  {
    name: "postgres",
    entry: storePath("POSTGRES"),
    module: "postgres",
    owner: "PostgreSQL",
    restarts: "its operator gives the role the new password",
    consumers: [{ who: "applications with a database" }],
    make: one("POSTGRES_PASSWORD"),
  },
  {
    name: "minio-users",
    entry: storePath("MINIO_USERS"),
    module: "minio",
    owner: "MinIO",
    restarts: "the Job of its release gives each user the new key",
    consumers: [
      { who: "backups of Postgres", module: "postgres" },
      { who: "the nightly backup of states", module: "state-backup" },
    ],
    make: async () => ({ "postgres-backups": password(), "state-reader": password(), "state-backup": password() }),
  },
  {
    name: "redis",
    entry: storePath("REDIS"),
    module: "valkey",
    owner: "Valkey",
    restarts: "its pod restarts",
    consumers: [{ who: "applications with a cache" }],
    make: one("REDIS_PASSWORD"),
  },
  {
    name: "immich",
    entry: storePath("IMMICH"),
    module: "immich",
    owner: "Immich's database and Valkey",
    restarts: "its operator gives the role the new password, Valkey and the server restart",
    consumers: [],
    make: async () => ({ DB_PASSWORD: password(), VALKEY_PASSWORD: password() }),
  },
  {
    name: "harbor-first",
    entry: storePath("HARBOR_FIRST"),
    module: "harbor",
    owner: "Harbor",
    restarts: "it reads them at its first start: the password of its user admin is changed there afterwards, and what it has encrypted needs its key for good",
    consumers: [],
    make: async () => ({ HARBOR_ADMIN_PASSWORD: password(), HARBOR_SECRET_KEY: letters(16) }),
  },
  {
    name: "harbor",
    entry: storePath("HARBOR"),
    module: "harbor",
    owner: "Harbor",
    restarts: "its parts restart, and the operator of Postgres gives the role the new password",
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
    module: "harbor",
    owner: "Harbor",
    restarts: "it gives its account pipelines the new secret",
    consumers: [{ who: "pipelines that push images" }],
    // Harbor requires an upper-case letter, a lower-case letter and a digit.
    make: async () => ({ HARBOR_KEY: password(/(?=.*[A-Z])(?=.*[a-z])(?=.*\d)/) }),
  },
  {
    name: "nats",
    entry: storePath("NATS"),
    module: "nats",
    owner: "NATS",
    restarts: "its pod restarts",
    consumers: [{ who: "applications with a queue" }],
    make: one("NATS_PASSWORD"),
  },
  {
    name: "argocd",
    entry: storePath("ARGOCD"),
    module: "argo-cd",
    owner: "Argo CD",
    restarts: "it takes the new value up by itself",
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
    module: "kube-prometheus-stack",
    owner: "Grafana",
    restarts: "its pod must be restarted: kubectl -n monitoring rollout restart deployment/kube-prometheus-stack-grafana",
    consumers: [],
    make: one("GRAFANA_PASSWORD"),
  },
];

/** Stacks in a sentence, as "stack core" or "stacks core and web". */
const sentence = (stacks: readonly string[]): string =>
  stacks.length === 0 ? "no stack has it yet" : `stack${stacks.length === 1 ? "" : "s"} ${stacks.join(", ").replace(/, ([^,]*)$/, " and $1")}`;

const moduleOf = (stack: StackModules, module: string) => stack.modules.find(({ name }) => name === module);
const having = (stacks: readonly StackModules[], module: string): string[] =>
  stacks.flatMap((stack) => (moduleOf(stack, module) === undefined ? [] : [stack.name]));

/** Key and entry that belong to one stack: `BOX_DEV` for the box of dev. */
const ownName = (of: string, stack: string): string => `${of}_${stack.toUpperCase().replaceAll("-", "_")}`;
const namesOwn = (stack: StackModules, module: string, of: string): boolean =>
  moduleOf(stack, module)?.entries.includes(storePath(ownName(of, stack.name))) === true;

/** The password with which a stack's collector (its box) sends to the hub. Each has its own: none can send in another one's name. */
const box = (stack: string, hubs: readonly string[]): Credential => ({
  name: `box-${stack}`,
  entry: storePath(ownName("BOX", stack)),
  module: "otel-collector",
  owner: `the hub's collector (${sentence(hubs)}${hubs.length === 0 ? "" : "; its pods restart"})`,
  built: hubs.length > 0,
  consumers: [`the box of ${stack} (its pods restart)`],
  make: one(`${ownName("BOX", stack)}_PASSWORD`),
});

/** The password of a second instance of PostgreSQL. */
const postgres = (stack: string): Credential => ({
  name: `postgres-${stack}`,
  entry: storePath(ownName("POSTGRES", stack)),
  module: "postgres",
  owner: `PostgreSQL (stack ${stack}; its operator gives the role the new password)`,
  built: true,
  consumers: [`applications of ${stack} with a database`],
  make: one(`${ownName("POSTGRES", stack)}_PASSWORD`),
});

/** All that a homelab with these stacks can have. A stack has a credential of its own where an option of its module names that entry. */
export function credentialsOf(stacks: readonly StackModules[]): readonly Credential[] {
  const own = (module: string, of: string): string[] => stacks.flatMap((stack) => (namesOwn(stack, module, of) ? [stack.name] : []));
  const postgresOf = own("postgres", "POSTGRES");
  const kinds = KINDS.map(({ owner, restarts, consumers, ...kind }): Credential => {
    const places = having(stacks, kind.module).filter((name) => kind.name !== "postgres" || !postgresOf.includes(name));
    return {
      ...kind,
      owner: `${owner} (${sentence(places)}${places.length === 0 ? "" : `; ${restarts}`})`,
      built: places.length > 0,
      consumers: consumers.map(({ who, module }) => (module === undefined ? who : `${who} (${sentence(having(stacks, module))})`)),
    };
  });
  return [...kinds, ...postgresOf.map(postgres), ...own("box", "BOX").map((stack) => box(stack, having(stacks, "otel-collector")))];
}

/** @throws HomelabError E_USAGE */
export function credentialOf(name: string, stacks: readonly StackModules[]): Credential {
  const all = credentialsOf(stacks);
  const found = all.find((credential) => credential.name === name);
  if (found !== undefined) return found;
  const own = /^(box|postgres)-(.+)$/.exec(name);
  const entry = own === null ? undefined : storePath(ownName(String(own[1]).toUpperCase(), String(own[2])));
  throw new HomelabError("E_USAGE", `"${name}" is not a credential that homelab generates`, {
    hint: `take one of: ${all.map((c) => c.name).join(", ")}${entry === undefined ? "" : `; a stack has one of its own where its module ${own?.[1]} in site/stacks.ts names the entry ${entry}`}`,
  });
}
