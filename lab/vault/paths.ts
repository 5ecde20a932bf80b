/**
 * Every path that the lab's Vault serves, in one table: the router finds what answers a call in it, and clients read it as the
 * document that the real one gives at sys/internal/specs/openapi. What is not here is not modelled.
 */
import type { Answer, Core, TokenCall } from "./core";
import { VaultError } from "./errors";
import type { Mounts } from "./mounts";
import type { Policies } from "./policies";
import type { Seal } from "./seal";

const READ = ["GET"];
const WRITE = ["POST", "PUT"];
const ALL = ["GET", ...WRITE, "DELETE"];

/** The parts of the server that answer paths below sys/. */
export interface Parts {
  core: Core;
  mounts: Mounts;
  policies: Policies;
  seal: Seal;
  audit: (call: TokenCall, name: string) => Answer;
}

interface SystemPath {
  /** After `sys/`, as OpenAPI writes it. */
  path: string;
  methods: readonly string[];
  /** Vault itself refuses all other methods of this path, so they are not noted as unmodelled. */
  strict?: boolean;
  run: (parts: Parts, call: TokenCall, path: string) => Answer;
}

const after = (path: string, start: string): string => path.slice(start.length);
const policies: SystemPath["run"] = ({ policies: known }, call, path) => known.handle(call, path);

/** In the order in which they are looked at. */
const TABLE: readonly SystemPath[] = [
  { path: "mounts", methods: READ, strict: true, run: ({ mounts }) => mounts.all("mounts") },
  { path: "auth", methods: READ, strict: true, run: ({ mounts }) => mounts.all("auths") },
  { path: "mounts/auth/{path}", methods: ALL, strict: true, run: ({ mounts }, call, path) => mounts.handle("auths", call, after(path, "mounts/auth/")) },
  { path: "mounts/{path}", methods: ALL, strict: true, run: ({ mounts }, call, path) => mounts.handle("mounts", call, after(path, "mounts/")) },
  { path: "auth/{path}", methods: ALL, strict: true, run: ({ mounts }, call, path) => mounts.handle("auths", call, after(path, "auth/")) },
  { path: "policies/acl", methods: ["LIST"], strict: true, run: policies },
  { path: "policies/acl/{name}", methods: ALL, strict: true, run: policies },
  { path: "policy", methods: ["GET", "LIST"], strict: true, run: policies },
  { path: "policy/{name}", methods: ALL, strict: true, run: policies },
  { path: "audit", methods: READ, strict: true, run: ({ audit }, call) => audit(call, "") },
  { path: "audit/{path}", methods: [...WRITE, "DELETE"], strict: true, run: ({ audit }, call, path) => audit(call, after(path, "audit/")) },
  { path: "seal", methods: WRITE, run: ({ seal }) => seal.seal() },
  { path: "remount", methods: WRITE, run: ({ mounts }, { body }) => mounts.remount(body) },
  { path: "remount/status/{migration_id}", methods: READ, run: ({ mounts }, _call, path) => mounts.moveStatus(after(path, "remount/status/")) },
  { path: "capabilities-self", methods: WRITE, run: ({ policies: known }, { token, body }) => known.capabilitiesSelf(token, body) },
  {
    path: "internal/ui/mounts/{path}",
    methods: READ,
    strict: true,
    run: ({ mounts }, _call, path) => {
      const asked = after(path, "internal/ui/mounts/");
      const found = mounts.describe(asked);
      if (found === undefined)
        throw new VaultError(403, `preflight capability check returned 403, please ensure client's policies grant access to path "${asked}/"`);
      return found;
    },
  },
];

/** The last parameter of a path takes slashes too, as most of Vault's do. */
const patternOf = (path: string): RegExp => new RegExp(`^${path.replace(/\{\w+\}/g, ".+")}$`);

export const SYSTEM = TABLE.map((entry) => ({ ...entry, pattern: patternOf(entry.path) }));

/** Paths that need no token. The router itself answers them. */
const OPEN: Readonly<Record<string, readonly string[]>> = {
  "sys/health": READ,
  "sys/seal-status": READ,
  "sys/leader": READ,
  "sys/init": ["GET", ...WRITE],
  "sys/unseal": WRITE,
  "sys/generate-root/attempt": ALL,
  "sys/generate-root/update": WRITE,
  "sys/internal/specs/openapi": READ,
};

const TOKENS: Readonly<Record<string, readonly string[]>> = {
  "auth/token/accessors": ["LIST"],
  "auth/token/create": WRITE,
  "auth/token/create/{role_name}": WRITE,
  "auth/token/create-orphan": WRITE,
  "auth/token/lookup": ["GET", ...WRITE],
  "auth/token/lookup-accessor": WRITE,
  "auth/token/lookup-self": ["GET", ...WRITE],
  "auth/token/renew": WRITE,
  "auth/token/renew-accessor": WRITE,
  "auth/token/renew-self": WRITE,
  "auth/token/revoke": WRITE,
  "auth/token/revoke-accessor": WRITE,
  "auth/token/revoke-orphan": WRITE,
  "auth/token/revoke-self": WRITE,
  "auth/token/roles": ["LIST"],
  "auth/token/roles/{role_name}": ALL,
};

const KUBERNETES: Readonly<Record<string, readonly string[]>> = {
  config: ["GET", ...WRITE],
  login: WRITE,
  role: ["LIST"],
  "role/{name}": ALL,
};

const KV: Readonly<Record<string, readonly string[]>> = {
  config: ["GET", ...WRITE],
  "data/{path}": [...ALL, "PATCH"],
  "metadata/{path}": [...ALL, "PATCH", "LIST"],
  "delete/{path}": WRITE,
  "undelete/{path}": WRITE,
  "destroy/{path}": ["PUT", "POST"],
  "subkeys/{path}": READ,
};

/** As OpenAPI names methods: a list is a GET. */
function operations(methods: readonly string[]): Record<string, object> {
  return Object.fromEntries(methods.map((method) => [method === "LIST" ? "get" : method.toLowerCase(), {}]));
}

/** What the server of this state serves, in the form of the real one's document. @param shown whether the client may see a mount */
export function openApi({ state }: Core, shown: (mount: string) => boolean): Record<string, unknown> {
  const below = (mount: string, table: Readonly<Record<string, readonly string[]>>) =>
    Object.entries(table).map(([path, methods]): [string, readonly string[]] => [`${mount}${path}`, methods]);
  const all = [
    ...Object.entries(OPEN),
    ...TABLE.map(({ path, methods }): [string, readonly string[]] => [`sys/${path}`, methods]),
    ...Object.entries(TOKENS),
    ...Object.entries(state.auths).flatMap(([mount, { type }]) => (type === "kubernetes" ? below(`auth/${mount}`, KUBERNETES) : [])),
    ...Object.entries(state.mounts).flatMap(([mount, { type }]) => (type === "kv" ? below(mount, KV) : [])),
  ];
  const known = [...Object.keys(state.auths).map((mount) => `auth/${mount}`), ...Object.keys(state.mounts), "sys/"];
  const visible = all.filter(([path]) => shown(known.find((mount) => path.startsWith(mount)) ?? path));
  return {
    openapi: "3.0.2",
    info: { title: "HashiCorp Vault API" },
    paths: Object.fromEntries(visible.map(([path, methods]) => [`/${path}`, operations(methods)])),
  };
}
