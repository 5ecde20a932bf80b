/** Paths that somebody might try who looks for a way around the policies. */

/** Other spellings of a path, as they go over the wire. */
export const spellings = (clean: string, ownStack: string): string[] => {
  const parts = clean.split("/");
  const last = parts.at(-1) ?? "";
  const above = parts.slice(0, -1).join("/");
  const [mount = "", operation = "", ...rest] = parts;
  const below = rest.join("/");
  const detours = ["..", "%2e%2e", "%2E.", "..%2f..", "%252e%252e"].map((up) => `${mount}/${operation}/environments/${ownStack}/${up}/${up}/${below}`);
  return [
    clean,
    ...detours,
    `${mount}/${operation}/./${below}`,
    `${mount}//${operation}/${below}`,
    `${mount}/${operation}//${below}`,
    `/${clean}`,
    `${clean}/`,
    `${clean}//`,
    clean.toUpperCase(),
    `${mount}/${operation.toUpperCase()}/${below}`,
    clean.replaceAll("/", "%2F"),
    `${above}%2F${last}`,
    `${above}/*`,
    `${above}/%2a`,
    `${above}/+`,
    `${mount}/${operation}/+/${rest.slice(1).join("/")}`,
    `${clean}%00`,
    `${clean}%0a`,
    `${clean}%20`,
    `${clean};x=1`,
    `${clean}?list=true`,
    `${clean}/?list=true`,
    `${above}/?list=true`,
    `${clean}?version=1`,
    `%ZZ/${clean}`,
  ].map((path) => `/v1/${path}`);
};
/** Paths whose `..` leads out of a stack's folder: those that its policy allows, and the nearest ones that end at an entry of another stack. */
export function waysOut(stack: string, others: readonly string[]): string[] {
  const up = "%2e%2e";
  const words = ["x", "environments", "clusters", "store", "certificate", "cluster-secret-store", ...others];
  const pairs = [`${up}/${up}`, ...words.flatMap((word) => [`${up}/${word}`, `${word}/${up}`])];
  const places = [up, "%2E.", ".%2e", "%2e", ...pairs, ...others.map((other) => `${up}/${other}/certificate`), `cluster-secret-store/secrets/${up}`];
  return ["", `environments/${stack}/`].flatMap((folder) => places.flatMap((place) => ["data", "metadata"].map((part) => `/v1/kv/${part}/${folder}${place}`)));
}

/** Paths that the server's list does not have, or only a real server has. */
export const UNLISTED = [
  ...["identity/entity", "identity/lookup/entity", "identity/oidc/config", "cubbyhole/x"],
  ...["sys/capabilities", "sys/capabilities-accessor", "sys/leases/lookup", "sys/leases/revoke-force/auth", "sys/raw/logical", "sys/rotate"],
  ...["sys/config/cors", "sys/config/ui/headers/x", "sys/config/auditing/request-headers/x", "sys/plugins/catalog/auth/x", "sys/plugins/reload/backend"],
  ...["sys/quotas/rate-limit/x", "sys/quotas/config", "sys/step-down", "sys/storage/raft/snapshot", "sys/internal/counters/tokens", "sys/host-info"],
  ...[
    "sys/metrics",
    "sys/monitor",
    "sys/pprof/heap",
    "sys/remount",
    "sys/tools/random",
    "sys/audit-hash/file",
    "sys/policies/password/x",
    "sys/policies/rgp/x",
  ],
];
