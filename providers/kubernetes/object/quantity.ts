/** Quantities of resources: the API writes `1000m` as `1`, `1024Mi` as `1Gi`. */
const FACTORS: Record<string, number> = {
  ...{ n: 1e-9, u: 1e-6, m: 1e-3, "": 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15, E: 1e18 },
  ...{ Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40, Pi: 2 ** 50, Ei: 2 ** 60 },
};

const QUANTITY = /^([+-]?(?:\d+(?:\.\d*)?|\.\d+))(?:(n|u|m|k|M|G|T|P|E|[KMGTPE]i)|[eE]([+-]?\d+))?$/;

/** undefined: it is none. */
export function amountOf(value: unknown): number | undefined {
  if (typeof value === "number") return value;
  const match = typeof value === "string" ? QUANTITY.exec(value) : null;
  if (match === null) return undefined;
  return Number(match[1]) * (match[3] === undefined ? (FACTORS[match[2] ?? ""] ?? 1) : 10 ** Number(match[3]));
}

/** Fields that are maps from a resource's name to a quantity, and fields that are a single quantity. */
const MAPS = new Set([
  ...["limits", "requests", "hard", "capacity", "allocatable", "podFixed"],
  ...["default", "defaultRequest", "max", "min", "maxLimitRequestRatio"],
]);
const SINGLE = new Set(["sizeLimit", "divisor", "averageValue"]);

/** @param path property path without list indices, as the diff gives it */
export function isQuantityAt(path: string): boolean {
  const steps = path.split(".");
  const last = steps.at(-1) ?? "";
  if (SINGLE.has(last) || (last === "value" && steps.at(-2) === "target")) return true;
  // A resource's name may hold dots: `requests.nvidia.com/gpu`, `hard.requests.cpu`.
  return steps.slice(0, -1).some((step) => MAPS.has(step));
}

export function sameQuantity(a: unknown, b: unknown): boolean {
  const [left, right] = [amountOf(a), amountOf(b)];
  return left !== undefined && right !== undefined && Math.abs(left - right) <= Math.max(Math.abs(left), Math.abs(right)) * 1e-12;
}
