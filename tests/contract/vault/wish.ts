import { authMountOf } from "../../../components/platform/vault/vault-names";

const WIDE = 'path "*" { capabilities = ["create", "read", "update", "delete", "list", "patch", "sudo"] }';

/**
 * A body that asks for every privilege. A path ignores the fields that it does not know.
 * @param cluster settings of an auth mount, for a cluster that accepts every token
 * @param forged a service account's token that no cluster has issued
 */
export const wishOf = (
  holder: { name: string; stack: string; token: string },
  accessors: readonly string[],
  cluster: Readonly<Record<string, unknown>>,
  forged: string,
): Record<string, unknown> => ({
  ...cluster,
  policy: WIDE,
  rules: WIDE,
  policies: ["root", "homelab-tools", "stack.prod", "stack.dev"],
  token_policies: ["root", "homelab-tools", "stack.prod"],
  allowed_policies: ["*"],
  no_parent: true,
  period: "1h",
  type: "kubernetes",
  options: { version: "2" },
  data: { taken: holder.name },
  bound_service_account_names: ["*"],
  bound_service_account_namespaces: ["*"],
  accessor: accessors[0],
  paths: ["kv/data/store/dns", "sys/policies/acl/fresh"],
  path: "kv/data/store/dns",
  from: `auth/${authMountOf("prod")}`,
  to: `auth/${authMountOf(holder.stack)}-2`,
  role: "external-dns",
  jwt: forged,
  token: holder.token,
  secret_shares: 1,
  secret_threshold: 1,
  versions: [1],
});
