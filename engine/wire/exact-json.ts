/** JSON whose integers keep all of their digits: beyond 2^53 they are bigints, here and in the text. */

/** A string or a number: what is in strings is no number. */
const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?/g;
/** Stands before the digits of a bigint while it is a string. A text of JSON has no bare NUL, and ours begin with one. */
const MARK = "\u0000integer:";

/** A number with an exponent of three digits, outside of a text or (which does no harm) inside of one. */
const HUGE = /[\s:,[]-?\d[\d.]*[eE]\+?\d{3}|^-?\d[\d.]*[eE]\+?\d{3}/;

/** JSON.parse makes Infinity of what a double cannot hold, and JSON.stringify null of that. */
function refuseHuge(text: string): void {
  for (const [token] of text.matchAll(TOKEN)) if (!token.startsWith('"') && !Number.isFinite(Number(token))) throw new SyntaxError("a number is out of range");
}

/** @throws SyntaxError as JSON.parse, and for a number that is out of range */
export function parseExactJson(text: string): unknown {
  if (HUGE.test(text) || /\d{309}/.test(text)) refuseHuge(text);
  // Only a number of 16 digits can be too long.
  if (!/\d{16}/.test(text)) return JSON.parse(text);
  const marked = text.replace(TOKEN, (token) =>
    /^-?\d{16,}$/.test(token) && !Number.isSafeInteger(Number(token)) ? JSON.stringify(`${MARK}${token}`) : token,
  );
  return JSON.parse(marked, (_key, value: unknown) => (typeof value === "string" && value.startsWith(MARK) ? BigInt(value.slice(MARK.length)) : value));
}

/** @param space as that of JSON.stringify */
export function exactJson(value: unknown, space?: number): string {
  try {
    return JSON.stringify(value, undefined, space);
  } catch (thrown) {
    // JSON.stringify refuses a bigint. Only then the slower way below is taken: states are large, and written often.
    if (!(thrown instanceof TypeError)) throw thrown;
  }
  const text = JSON.stringify(value, (_key, item: unknown) => (typeof item === "bigint" ? `${MARK}${item}` : item), space);
  return text.replace(/"\\u0000integer:(-?\d+)"/g, "$1");
}
