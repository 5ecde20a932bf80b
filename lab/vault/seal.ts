/** Initialisation and the seal. */
import { randomBytes, randomUUID } from "node:crypto";
import { type Answer, type Core, hash, VERSION } from "./core";
import { badRequest } from "./errors";
import { newAuthAccessor, newMount } from "./mounts";
import type { Tokens } from "./tokens";
import { flag, text } from "./values";

/** The policy that Vault gives every token, as far as the lab models what it names. */
const DEFAULT_POLICY = `path "auth/token/lookup-self" { capabilities = ["read"] }
path "auth/token/renew-self" { capabilities = ["update"] }
path "auth/token/revoke-self" { capabilities = ["update"] }
path "sys/capabilities-self" { capabilities = ["update"] }
path "sys/internal/ui/resultant-acl" { capabilities = ["read"] }
path "sys/renew" { capabilities = ["update"] }
path "sys/leases/renew" { capabilities = ["update"] }
path "sys/leases/lookup" { capabilities = ["update"] }
path "cubbyhole/*" { capabilities = ["create", "read", "update", "delete", "list"] }
`;

/** Shamir's points are one byte. */
const MAX_SHARES = 255;

/** An unseal key as it was sent: hex or base64. @throws VaultError 400 */
export function keyOf(given: string): Buffer {
  const isHex = /^([0-9a-f]{2})+$/i.test(given);
  if (!isHex && !/^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(given)) throw badRequest("'key' must be a valid hex or base64 string");
  const key = Buffer.from(given, isHex ? "hex" : "base64");
  if (key.length < 16) throw badRequest("invalid key: key is shorter than minimum 16 bytes");
  return key;
}

export class Seal {
  constructor(
    private readonly core: Core,
    private readonly tokens: Tokens,
    private readonly onChange: () => void,
  ) {}

  status(): Record<string, unknown> {
    const { initialized, sealed, threshold, keyHashes, progress, nonce, clusterId, clusterName } = this.core.state;
    return {
      type: "shamir",
      initialized,
      sealed,
      t: threshold,
      n: keyHashes.length,
      progress: progress.length,
      nonce,
      version: VERSION,
      build_date: "2025-10-21T14:21:31Z",
      migration: false,
      recovery_seal: false,
      storage_type: "file",
      ...(sealed ? {} : { cluster_name: clusterName, cluster_id: clusterId }),
    };
  }

  health(query: URLSearchParams): { status: number; body: Answer } {
    const { initialized, sealed, clusterId, clusterName } = this.core.state;
    const status = !initialized
      ? Number(query.get("uninitcode") ?? 501)
      : sealed
        ? Number(query.get("sealedcode") ?? 503)
        : Number(query.get("activecode") ?? 200);
    return {
      status,
      body: {
        initialized,
        sealed,
        standby: !initialized || sealed,
        performance_standby: false,
        replication_performance_mode: sealed ? "unknown" : "disabled",
        replication_dr_mode: sealed ? "unknown" : "disabled",
        server_time_utc: this.core.now(),
        version: VERSION,
        enterprise: false,
        echo_duration_ms: 0,
        clock_skew_ms: 0,
        ...(sealed ? {} : { cluster_name: clusterName, cluster_id: clusterId }),
      },
    };
  }

  init(body: Record<string, unknown>): Answer {
    const { core } = this;
    if (core.state.initialized) throw badRequest("Vault is already initialized");
    for (const key of ["pgp_keys", "root_token_pgp_key", "recovery_shares", "recovery_threshold", "recovery_pgp_keys", "stored_shares"])
      if (body[key] !== undefined && body[key] !== null && body[key] !== 0 && body[key] !== "")
        throw core.notModelled(`sys/init with ${key}`, badRequest(`${key} is not modelled by the lab`));
    const shares = Number(body["secret_shares"] ?? 0);
    const threshold = Number(body["secret_threshold"] ?? 0);
    const invalid = (why: string) => badRequest(`invalid seal configuration: ${why}`);
    if (!Number.isInteger(shares) || shares < 1) throw invalid("shares must be at least one");
    if (shares > MAX_SHARES) throw invalid(`shares must be less than ${MAX_SHARES + 1}`);
    if (!Number.isInteger(threshold) || threshold < 1) throw invalid("threshold must be at least one");
    if (shares > 1 && threshold === 1) throw invalid("threshold must be greater than one for multiple shares");
    if (threshold > shares) throw invalid("threshold cannot be larger than shares");
    // A share has one byte more than the key; the key of a single share is the key itself.
    const keys = Array.from({ length: shares }, () => randomBytes(shares === 1 ? 32 : 33));
    Object.assign(core.state, { initialized: true, sealed: true, keyHashes: keys.map((key) => hash(key.toString("base64"))), threshold });
    const leases = { default_lease_ttl: 0, force_no_cache: false, max_lease_ttl: 0 };
    core.state.mounts = {
      "cubbyhole/": newMount("cubbyhole", { description: "per-token private secret storage", local: true }),
      "identity/": newMount("identity", { description: "identity store", config: { ...leases, passthrough_request_headers: ["Authorization"] } }),
      "sys/": newMount("system", {
        description: "system endpoints used for control, policy and debugging",
        sealWrap: true,
        config: { ...leases, passthrough_request_headers: ["Accept"] },
      }),
    };
    core.state.auths = { "token/": newMount("token", { accessor: newAuthAccessor("token"), description: "token based credentials" }) };
    core.state.policies = { default: DEFAULT_POLICY };
    const rootToken = this.tokens.addRoot();
    core.record("write", "init");
    return { keys: keys.map((key) => key.toString("hex")), keys_base64: keys.map((key) => key.toString("base64")), root_token: rootToken };
  }

  unseal(body: Record<string, unknown>): Answer {
    const { core } = this;
    const { state } = core;
    if (!state.initialized) throw badRequest("Vault is not initialized");
    if (flag(body["reset"])) {
      Object.assign(state, { progress: [], nonce: "" });
      return this.status();
    }
    if (!state.sealed) return this.status();
    const given = text(body["key"]);
    if (given === "") throw badRequest("'key' must be specified in request body as JSON, or 'reset' set to true");
    const key = keyOf(given);
    const id = hash(key.toString("base64"));
    if (state.progress.length === 0) state.nonce = randomUUID();
    if (!state.progress.includes(id)) state.progress.push(id);
    if (state.progress.length < state.threshold) return this.status();
    const right = state.progress.every((given) => state.keyHashes.includes(given));
    Object.assign(state, { progress: [], nonce: "" });
    if (!right) throw badRequest("unable to retrieve stored keys: invalid key: failed to decrypt keys from storage: cipher: message authentication failed");
    state.sealed = false;
    core.record("write", "unseal");
    this.onChange();
    return this.status();
  }

  seal(): Answer {
    this.core.state.sealed = true;
    this.core.record("write", "seal");
    this.onChange();
    return undefined;
  }
}
