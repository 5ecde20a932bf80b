/** Reading what clients send: Vault takes durations as numbers or texts, and lists as lists or texts with commas. */
import { badRequest } from "./errors";

const UNITS: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** `768h`, `1h30m`, `30`, 30 → seconds; absent or empty → 0. @throws VaultError 400 */
export function seconds(value: unknown): number {
  if (value === undefined || value === null || value === "") return 0;
  if (typeof value === "number") return value;
  const text = String(value);
  if (/^\d+$/.test(text)) return Number(text);
  if (!/^(\d+(\.\d+)?[smhd])+$/.test(text)) throw badRequest(`time: invalid duration "${text}"`);
  return [...text.matchAll(/(\d+(?:\.\d+)?)([smhd])/g)].reduce((sum, [, count, unit]) => sum + Number(count) * (UNITS[unit ?? ""] ?? 0), 0);
}

/** 3661 → `1h1m1s`, as Go writes a duration. */
export function goDuration(total: number): string {
  const [h, m, s] = [Math.floor(total / 3600), Math.floor((total % 3600) / 60), total % 60];
  return `${h > 0 ? `${h}h` : ""}${h > 0 || m > 0 ? `${m}m` : ""}${s}s`;
}

export function list(value: unknown): string[] {
  if (Array.isArray(value)) return value.map(String);
  return value === undefined || value === null || value === ""
    ? []
    : String(value)
        .split(",")
        .map((item) => item.trim());
}

export const text = (value: unknown): string => (value === undefined || value === null ? "" : String(value));
export const flag = (value: unknown): boolean => value === true || value === "true";

export function textMap(value: unknown): Record<string, string> | null {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, String(item)]));
}
