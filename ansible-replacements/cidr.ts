import { isIPv4 } from "node:net";
import { HomelabError } from "../common/errors";

interface Range {
  first: number;
  last: number;
}

/** @param what names the range in the error. @throws HomelabError E_ROLE_ARGS */
function parseCidr(what: string, text: string): Range {
  const [address = "", bits = ""] = text.split("/");
  const prefix = Number(bits);
  if (!isIPv4(address) || !/^\d{1,2}$/.test(bits) || prefix > 32)
    throw new HomelabError("E_ROLE_ARGS", `${what}: "${text}" is no IPv4 range`, { hint: "write it as 10.42.0.0/16" });
  const size = 2 ** (32 - prefix);
  const number = address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
  const first = Math.floor(number / size) * size;
  if (first !== number) throw new HomelabError("E_ROLE_ARGS", `${what}: "${text}" has bits after its prefix`);
  return { first, last: first + size - 1 };
}

/**
 * Checks that no two ranges share an address.
 * @param ranges what each is for, and the range
 * @throws HomelabError E_ROLE_ARGS that names both
 */
export function assertDisjoint(ranges: Readonly<Record<string, string>>): void {
  const parsed = Object.entries(ranges).map(([what, text]) => ({ what, text, ...parseCidr(what, text) }));
  for (const [index, one] of parsed.entries()) {
    const other = parsed.slice(index + 1).find(({ first, last }) => first <= one.last && one.first <= last);
    if (other !== undefined)
      throw new HomelabError("E_ROLE_ARGS", `${one.what} ${one.text} overlaps ${other.what} ${other.text}`, {
        hint: "packets for one would be sent to the other; choose another range",
      });
  }
}
