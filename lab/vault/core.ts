/** What every part of a Vault works with. */
import { createHash, randomBytes, randomInt, randomUUID } from "node:crypto";
import type { LabContext } from "../core/world";
import { VaultError } from "./errors";
import type { VaultState, VaultToken } from "./state";

export const VERSION = "1.21.0";
/** Vault's own default and limit for leases: 32 days. */
export const SYSTEM_TTL = 2_764_800;

export interface Call {
  /** GET, LIST, PUT, POST, PATCH or DELETE. */
  method: string;
  /** Below /v1/, without a slash at its end. */
  path: string;
  body: Record<string, unknown>;
  query: URLSearchParams;
}

/** A call with its token. */
export interface TokenCall extends Call {
  token: VaultToken;
}

/** Body of a success; undefined = 204. */
export type Answer = Record<string, unknown> | undefined;

/** Where a Vault that runs in a pod finds its own cluster. */
export interface PodIdentity {
  caPem: string;
  /** A token of the pod's service account. */
  token(): string;
  /** `https://<node>:6443` */
  api: string;
}

/** The server's memory and its ways to the lab. */
export interface Core {
  readonly name: string;
  readonly ctx: LabContext;
  state: VaultState;
  readonly pod: PodIdentity | undefined;
  /** Seconds since the epoch. */
  now(): number;
  /** RFC 3339 with nanoseconds, as Go writes it. */
  time(): string;
  record(kind: "read" | "write", action: string): void;
  /** Notes a call that the lab does not model. @returns what to throw */
  notModelled(what: string, error?: VaultError): VaultError;
}

export const hash = (value: string): string => createHash("sha256").update(value).digest("hex");
const ACCESSOR_LENGTH = 24;
const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/** Letters and digits only: it is an argument of commands, where `-` begins an option. */
export const newAccessor = (): string => Array.from({ length: ACCESSOR_LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join("");
export const rfc3339 = (seconds: number): string => new Date(seconds * 1000).toISOString().replace(/\.000Z$/, "Z");

export function emptyState(): VaultState {
  return {
    initialized: false,
    sealed: true,
    keyHashes: [],
    threshold: 0,
    progress: [],
    nonce: "",
    clusterId: randomUUID(),
    clusterName: `vault-cluster-${randomBytes(4).toString("hex")}`,
    mounts: {},
    auths: {},
    policies: {},
    audits: {},
    tokens: [],
    tokenRoles: {},
    kv: {},
    authConfigs: {},
    authRoles: {},
  };
}

export const noRoute = (path: string): VaultError => new VaultError(404, `no handler for route "${path}". route entry not found.`);
