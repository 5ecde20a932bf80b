/** IPv4 networks as numbers. */
import * as net from "node:net";
import { HomelabError } from "../common/errors";

export interface Network {
  base: number;
  prefix: number;
  /** Whether it is the address of a host in it. */
  holds(address: string): boolean;
}

const numberOf = (address: string): number => address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
const textOf = (number: number): string => [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join(".");

/** Prefixes that are accepted. A network smaller than /27 has too little room for the addresses that layout.ts assigns. */
const [SHORTEST, LONGEST] = [16, 27];

/** @throws HomelabError E_USAGE */
export function parseNetwork(text: string): Network {
  const [address = "", prefixText = "", ...more] = text.split("/");
  const prefix = Number(prefixText);
  const refuse = (what: string): HomelabError => new HomelabError("E_USAGE", `--network takes ${what}, not "${text}"`, { subject: text });
  if (!net.isIPv4(address) || !/^\d{1,2}$/.test(prefixText) || more.length > 0) throw refuse("a network such as 10.20.0.0/24");
  if (prefix < SHORTEST || prefix > LONGEST) throw refuse(`a network of /${SHORTEST} to /${LONGEST}`);
  const size = 2 ** (32 - prefix);
  const base = numberOf(address);
  if (base % size !== 0) throw refuse(`the network's own address (${textOf(base - (base % size))}/${prefix})`);
  return { base, prefix, holds: (other) => net.isIPv4(other) && numberOf(other) > base && numberOf(other) < base + size - 1 };
}

/** The nth address of the network. */
export const hostAt = ({ base }: Network, n: number): string => textOf(base + n);
