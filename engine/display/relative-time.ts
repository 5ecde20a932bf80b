/** Times as the CLI shows them to a person. */

const UNITS: readonly [seconds: number, name: string][] = [
  [365 * 86_400, "year"],
  [30 * 86_400, "month"],
  [7 * 86_400, "week"],
  [86_400, "day"],
  [3_600, "hour"],
  [60, "minute"],
  [1, "second"],
];

/** `now`, `1 second ago`, `5 minutes ago`. @param from, to milliseconds since the epoch */
export function ago(from: number, to: number): string {
  const seconds = Math.floor((to - from) / 1000);
  for (const [length, name] of UNITS) {
    const count = Math.floor(seconds / length);
    if (count >= 1) return `${count} ${name}${count === 1 ? "" : "s"} ago`;
  }
  return "now";
}

/** `0s`, `1m5s`, `1h0m3s`. */
export function duration(seconds: number): string {
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return `${h > 0 ? `${h}h` : ""}${seconds >= 60 ? `${m}m` : ""}${s}s`;
}
