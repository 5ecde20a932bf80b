/** Parameters of requests that the lab models, by what is done. A real server ignores all others; the lab refuses and notes them. */
import type { JsonMap } from "./objects";

const SELECT = ["labelSelector", "fieldSelector"];
const WRITE = ["dryRun", "fieldManager", "fieldValidation"];
const DELETE = ["dryRun", "gracePeriodSeconds", "propagationPolicy"];
/** Of every request: how the answer is laid out, and how long the client waits. */
const EVERYWHERE = ["pretty", "timeout"];

export const PARAMETERS = {
  /** `/version`, discovery, OpenAPI: a client that keeps documents names them by their hash. */
  document: ["hash"],
  health: [],
  get: ["resourceVersion"],
  list: [...SELECT, "limit", "continue", "resourceVersion", "resourceVersionMatch", "watch", "timeoutSeconds"],
  watch: [...SELECT, "resourceVersion", "resourceVersionMatch", "watch", "timeoutSeconds", "allowWatchBookmarks", "sendInitialEvents", "limit"],
  create: WRITE,
  update: WRITE,
  patch: [...WRITE, "force"],
  delete: DELETE,
  deletecollection: [...DELETE, ...SELECT],
  review: WRITE,
  portforward: [],
  exec: ["command", "container", "stdin", "stdout", "stderr", "tty"],
  log: ["container", "follow", "tailLines", "timestamps"],
} as const satisfies Record<string, readonly string[]>;

/** @returns the first parameter that the lab does not model for this */
export function undeclaredParameter(query: URLSearchParams, what: keyof typeof PARAMETERS): string | undefined {
  const known: readonly string[] = PARAMETERS[what];
  const strange = [...query.keys()].find((name) => !EVERYWHERE.includes(name) && !known.includes(name));
  if (strange !== undefined) return strange;
  const dryRun = query.get("dryRun");
  return dryRun === null || dryRun === "" || dryRun === "All" ? undefined : `dryRun=${dryRun}`;
}

const OPTIONS = new Set(["kind", "apiVersion", "gracePeriodSeconds", "preconditions", "propagationPolicy", "dryRun"]);

/** @returns the first field of a DeleteOptions that the lab does not model */
export function undeclaredOption(options: JsonMap): string | undefined {
  const strange = Object.keys(options).find((key) => !OPTIONS.has(key));
  if (strange !== undefined) return strange;
  const { preconditions } = options;
  if (typeof preconditions !== "object" || preconditions === null) return undefined;
  const wrong = Object.keys(preconditions).find((key) => key !== "uid");
  return wrong === undefined ? undefined : `preconditions.${wrong}`;
}
