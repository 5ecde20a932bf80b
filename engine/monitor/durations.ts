/** Go durations (`1h30m`, `5m`, `1.5s`) as seconds. */
const UNITS: Record<string, number> = { ns: 1e-9, us: 1e-6, µs: 1e-6, ms: 1e-3, s: 1, m: 60, h: 3600 };

/** @returns undefined for a text that is no duration */
export function parseDuration(text: string): number | undefined {
  if (text === "0") return 0;
  if (!/^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/.test(text)) return undefined;
  return [...text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)].reduce((sum, [, number, unit]) => sum + Number(number) * (UNITS[unit ?? "s"] ?? 1), 0);
}

/** Seconds as Go writes them: `5m0s`, `1h30m0s`, `1.5s`; of 0, an empty text. */
export function formatDuration(seconds: number): string {
  if (seconds === 0) return "";
  if (seconds < 1) return seconds < 1e-3 ? `${Math.round(seconds * 1e6)}µs` : `${Number((seconds * 1e3).toFixed(6))}ms`;
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  const rest = Number((seconds % 60).toFixed(9));
  return `${hours > 0 ? `${hours}h` : ""}${hours > 0 || minutes > 0 ? `${minutes}m` : ""}${rest}s`;
}
