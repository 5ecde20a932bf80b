/** Ranges of IPv4 addresses, for pools, networks and hosts. */

export interface AddressRange {
  readonly first: number;
  readonly last: number;
}

function numberOf(address: string): number | undefined {
  const parts = address.split(".");
  if (parts.length !== 4 || parts.some((part) => !/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255)) return undefined;
  return parts.reduce((sum, part) => sum * 256 + Number(part), 0);
}

/** `a`, `a-b` or `a/bits`; undefined for anything else, and for a range that ends before it starts. */
export function rangeOf(text: string): AddressRange | undefined {
  const cidr = /^([\d.]+)\/(\d|[12]\d|3[0-2])$/.exec(text);
  if (cidr !== null) {
    const [address, size] = [numberOf(cidr[1] ?? ""), 2 ** (32 - Number(cidr[2]))];
    if (address === undefined) return undefined;
    const first = address - (address % size);
    return { first, last: first + size - 1 };
  }
  const [from = "", to = from, ...more] = text.split("-");
  const [first, last] = [numberOf(from), numberOf(to)];
  return first === undefined || last === undefined || last < first || more.length > 0 ? undefined : { first, last };
}

export const rangesMeet = (a: AddressRange, b: AddressRange): boolean => a.first <= b.last && b.first <= a.last;
