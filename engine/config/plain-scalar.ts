/**
 * What an unquoted scalar of a settings file means. The CLI reads with Go's YAML library, whose rules differ from YAML 1.2: `0755` is
 * octal, `0b11` and `1_000` are numbers, a date is a time. Integers keep all of their digits (int64 and uint64 in Go). Compared
 * with values recorded from the CLI 3.260 in engine/config/plain-scalar.test.ts.
 */

const DATE = /^(\d{4})-(\d{1,2})-(\d{1,2})(?:(?:[Tt]|[ \t]+)(\d{1,2}):(\d{1,2}):(\d{1,2})(?:\.(\d{1,9})\d*)?(?:[ \t]*(Z|[-+]\d{2}:\d{2}))?)?$/;
const FLOAT = /^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/;
const NULLS = new Set(["", "~", "null", "Null", "NULL"]);
const BOOLEANS: Readonly<Record<string, boolean>> = { true: true, True: true, TRUE: true, false: false, False: false, FALSE: false };

const INT64_MIN = -(2n ** 63n);
const UINT64_MAX = 2n ** 64n - 1n;

/** @throws SyntaxError for what is no integer */
function parsedInteger(text: string): bigint {
  const negative = text.startsWith("-");
  const digits = text.replace(/^[-+]/, "");
  // A leading zero means octal.
  const magnitude = BigInt(/^0[0-7]+$/.test(digits) ? `0o${digits.slice(1)}` : digits);
  return negative ? -magnitude : magnitude;
}

function integer(text: string): bigint | undefined {
  if (!/^[-+]?(0|[1-9][0-9]*|0[0-7]+|0x[0-9a-fA-F]+|0X[0-9a-fA-F]+|0o[0-7]+|0O[0-7]+|0b[01]+|0B[01]+)$/.test(text)) return undefined;
  const value = parsedInteger(text);
  return value >= INT64_MIN && value <= UINT64_MAX ? value : undefined;
}

/** The number itself where it is exact as a double, else with all of its digits. */
export const shortest = (value: bigint): number | bigint => (Number.isSafeInteger(Number(value)) ? Number(value) : value);

const two = (text: string): string => text.padStart(2, "0");

/** A date as Go prints it: that text is what a program gets. */
function time(text: string): string | undefined {
  const [, year, month = "", day = "", hour = "0", minute = "0", second = "0", fraction = "", zone] = DATE.exec(text) ?? [];
  if (year === undefined) return undefined;
  const date = `${year}-${two(month)}-${two(day)}`;
  const clock = `${two(hour)}:${two(minute)}:${two(second)}`;
  const parsed = new Date(`${date}T${clock}Z`);
  // The 31st of February, and hours past 24, are text.
  if (Number.isNaN(parsed.getTime()) || parsed.toISOString().slice(0, 19) !== `${date}T${clock}`) return undefined;
  const digits = fraction.replace(/0+$/, "");
  const offset = zone === undefined || zone === "Z" ? "+0000 UTC" : `${zone.replace(":", "")} ${zone === "+00:00" ? "UTC" : zone.replace(":", "")}`;
  return `${date} ${clock}${digits === "" ? "" : `.${digits}`} ${offset}`;
}

/** Infinity and NaN: JSON cannot hold them, so a program cannot get them. */
export class NotFinite extends Error {}

/** @throws NotFinite */
export function plainScalar(text: string): null | boolean | number | bigint | string {
  if (NULLS.has(text)) return null;
  const boolean = Object.hasOwn(BOOLEANS, text) ? BOOLEANS[text] : undefined;
  if (boolean !== undefined) return boolean;
  if (/^[-+]?\.(inf|Inf|INF)$|^\.(nan|NaN|NAN)$/.test(text)) throw new NotFinite(text);
  if (!/^[-+.0-9]/.test(text)) return text;
  const plain = text.replaceAll("_", "");
  const whole = integer(plain);
  if (whole !== undefined) return shortest(whole);
  // What is too large for a double is text for the CLI.
  if (FLOAT.test(plain) && Number.isFinite(Number(plain))) return Number(plain);
  return time(text) ?? text;
}
