/**
 * Which fields of a request the lab's Vault models. The real Vault ignores fields that it does not know, and knows some that the lab does
 * not model. Both would look like a success here, so the lab refuses them. An empty field is accepted, and a field of another path is
 * ignored, as by the real Vault.
 */
import type { Call } from "./core";
import { MOUNT_CONFIG } from "./mounts";

/** By path, the first that fits. KV reports ignored fields itself, as the real one does. */
const FIELDS: readonly (readonly [RegExp, readonly string[]])[] = [
  [
    /^sys\/init$/,
    // All but the first two are refused by name if they are not empty (seal.ts).
    ["secret_shares", "secret_threshold", "pgp_keys", "root_token_pgp_key", "stored_shares", "recovery_shares", "recovery_threshold", "recovery_pgp_keys"],
  ],
  [/^sys\/unseal$/, ["key", "reset"]],
  [/^sys\/generate-root\/attempt$/, ["otp", "pgp_key"]],
  [/^sys\/generate-root\/update$/, ["key", "nonce"]],
  [/^sys\/(mounts|auth)\/.+\/tune$/, [...MOUNT_CONFIG, "description", "options"]],
  [/^sys\/(mounts|auth)\/.+$/, ["path", "type", "description", "config", "options", "local", "seal_wrap", "external_entropy_access"]],
  [/^sys\/remount$/, ["from", "to"]],
  [/^sys\/polic(y|ies\/acl)\/.+$/, ["name", "policy", "rules"]],
  [/^sys\/audit\/.+$/, ["path", "type", "description", "local", "options"]],
  [/^sys\/capabilities-self$/, ["paths", "path"]],
  [
    /^auth\/token\/create(-orphan)?(\/.+)?$/,
    [
      ...["policies", "no_default_policy", "no_parent", "ttl", "lease", "period", "explicit_max_ttl", "renewable", "num_uses", "display_name", "meta", "type"],
      // Refused by name if they are not empty.
      ...["role_name", "entity_alias", "wrap_ttl"],
    ],
  ],
  [
    /^auth\/token\/roles\/.+$/,
    [
      ...["name", "role_name", "allowed_policies", "disallowed_policies", "orphan", "renewable", "token_period", "token_explicit_max_ttl"],
      ...["token_type", "token_no_default_policy"],
    ],
  ],
  [/^auth\/.+\/login$/, ["role", "jwt"]],
  [/^auth\/token\/.+$/, ["token", "accessor", "increment"]],
  [
    /^auth\/.+\/role\/.+$/,
    [
      ...["name", "bound_service_account_names", "bound_service_account_namespaces", "bound_service_account_namespace_selector", "audience"],
      ...["alias_name_source", "alias_metadata", "token_ttl", "token_max_ttl", "token_explicit_max_ttl", "token_period", "token_policies", "token_type"],
      ...["token_num_uses", "token_no_default_policy", "policies", "ttl", "max_ttl", "period", "num_uses"],
    ],
  ],
  [
    /^auth\/.+\/config$/,
    [
      ...["kubernetes_host", "kubernetes_ca_cert", "token_reviewer_jwt", "disable_local_ca_jwt", "disable_iss_validation", "issuer", "pem_keys"],
      "use_annotations_as_alias_metadata",
    ],
  ],
];

/** The fields of any path, with those of KV. */
const ANYWHERE = new Set(["data", "versions", ...FIELDS.flatMap(([, names]) => names)]);
const HEALTH = ["standbyok", "perfstandbyok", "activecode", "standbycode", "drsecondarycode", "performancestandbycode", "sealedcode", "uninitcode"];
/** Clients that request the OpenAPI document send `generic_mount_paths`. */
const QUERY = new Set(["list", "version", "depth", "generic_mount_paths", ...HEALTH]);
const TOKEN_TYPES = ["", "default", "service", "default-service"];

function isEmpty(value: unknown): boolean {
  if (value === null || value === undefined || value === "" || value === false || value === 0 || value === "0") return true;
  return typeof value === "object" && Object.keys(value).length === 0;
}

/** @returns the part of the request that the lab does not model, in words */
export function undeclared({ path, method, body, query }: Call): string | undefined {
  const parameter = [...query.keys()].find((name) => !QUERY.has(name));
  if (parameter !== undefined) return `the parameter ${parameter}`;
  if (method !== "POST" && method !== "PUT") return undefined;
  const known = FIELDS.find(([pattern]) => pattern.test(path))?.[1];
  const field = known === undefined ? undefined : Object.keys(body).find((name) => !known.includes(name) && !ANYWHERE.has(name) && !isEmpty(body[name]));
  if (field !== undefined) return `the field ${field}`;
  const type = /^auth\/(token\/roles|.+\/role)\/.+$/.test(path) ? body["token_type"] : undefined;
  return type === undefined || TOKEN_TYPES.includes(String(type)) ? undefined : `the token_type ${String(type)}`;
}
