/**
 * Header blocks of HTTP/2 (HPACK, RFC 7541). What is written refers to no table and is not compressed, so that a block that is always the
 * same is made once; what is read may use all of the standard.
 */
import { decodeHuffman } from "./huffman";

/** Values of a name that came several times are joined by commas. */
export type Headers = ReadonlyMap<string, string>;

type Field = readonly [name: string, value: string];

/** Appendix A. */
const STATIC: readonly Field[] = [
  [":authority", ""],
  [":method", "GET"],
  [":method", "POST"],
  [":path", "/"],
  [":path", "/index.html"],
  [":scheme", "http"],
  [":scheme", "https"],
  [":status", "200"],
  [":status", "204"],
  [":status", "206"],
  [":status", "304"],
  [":status", "400"],
  [":status", "404"],
  [":status", "500"],
  ["accept-charset", ""],
  ["accept-encoding", "gzip, deflate"],
  ["accept-language", ""],
  ["accept-ranges", ""],
  ["accept", ""],
  ["access-control-allow-origin", ""],
  ["age", ""],
  ["allow", ""],
  ["authorization", ""],
  ["cache-control", ""],
  ["content-disposition", ""],
  ["content-encoding", ""],
  ["content-language", ""],
  ["content-length", ""],
  ["content-location", ""],
  ["content-range", ""],
  ["content-type", ""],
  ["cookie", ""],
  ["date", ""],
  ["etag", ""],
  ["expect", ""],
  ["expires", ""],
  ["from", ""],
  ["host", ""],
  ["if-match", ""],
  ["if-modified-since", ""],
  ["if-none-match", ""],
  ["if-range", ""],
  ["if-unmodified-since", ""],
  ["last-modified", ""],
  ["link", ""],
  ["location", ""],
  ["max-forwards", ""],
  ["proxy-authenticate", ""],
  ["proxy-authorization", ""],
  ["range", ""],
  ["referer", ""],
  ["refresh", ""],
  ["retry-after", ""],
  ["server", ""],
  ["set-cookie", ""],
  ["strict-transport-security", ""],
  ["transfer-encoding", ""],
  ["user-agent", ""],
  ["vary", ""],
  ["via", ""],
  ["www-authenticate", ""],
];

/** The dynamic table's size until somebody agrees on another one, and what a field of it counts beside its text. */
const TABLE_SIZE = 4_096;
const FIELD_SIZE = 32;

const sizeOf = ([name, value]: Field): number => name.length + value.length + FIELD_SIZE;

/** Decodes the blocks of one connection, in the order in which they came. */
export class HeaderDecoder {
  /** The newest last. */
  readonly #table: Field[] = [];
  #size = 0;
  #limit = TABLE_SIZE;
  #block: Buffer = Buffer.alloc(0);
  #at = 0;

  /** @throws Error for what is no header block: the connection cannot go on then */
  decode(block: Buffer): Headers {
    this.#block = block;
    this.#at = 0;
    const headers = new Map<string, string>();
    while (this.#at < block.length) {
      const field = this.#field();
      if (field === undefined) continue;
      const [name, value] = field;
      const before = headers.get(name);
      headers.set(name, before === undefined ? value : `${before},${value}`);
    }
    return headers;
  }

  /** undefined: a change of the table's size */
  #field(): Field | undefined {
    const byte = this.#block[this.#at] ?? 0;
    if (byte & 0x80) return this.#known(this.#integer(7));
    if (byte & 0x40) {
      const field = this.#literal(6);
      this.#add(field);
      return field;
    }
    if (!(byte & 0x20)) return this.#literal(4);
    const limit = this.#integer(5);
    if (limit > TABLE_SIZE) throw new Error(`a header table of ${limit} is larger than was agreed on`);
    this.#limit = limit;
    this.#shrink();
    return undefined;
  }

  #known(index: number): Field {
    const field = index <= STATIC.length ? STATIC[index - 1] : this.#table[this.#table.length - (index - STATIC.length)];
    if (field === undefined) throw new Error(`a header names entry ${index} of the table, which it does not have`);
    return field;
  }

  #literal(bits: number): Field {
    const index = this.#integer(bits);
    const name = index === 0 ? this.#text() : this.#known(index)[0];
    return [name, this.#text()];
  }

  #add(field: Field): void {
    this.#table.push(field);
    this.#size += sizeOf(field);
    this.#shrink();
  }

  #shrink(): void {
    let gone = 0;
    while (this.#size > this.#limit) {
      const oldest = this.#table[gone++];
      this.#size -= oldest === undefined ? this.#size : sizeOf(oldest);
    }
    this.#table.splice(0, gone);
  }

  #integer(bits: number): number {
    const mask = 2 ** bits - 1;
    let value = this.#octet() & mask;
    if (value < mask) return value;
    for (let factor = 1; ; factor *= 128) {
      const octet = this.#octet();
      value += (octet & 0x7f) * factor;
      if (value > 2 ** 31) throw new Error("a header has a number that is too large");
      if (octet < 0x80) return value;
    }
  }

  #octet(): number {
    const octet = this.#block[this.#at++];
    if (octet === undefined) throw new Error("a header block is cut short");
    return octet;
  }

  #text(): string {
    const isCompressed = ((this.#block[this.#at] ?? 0) & 0x80) !== 0;
    const end = this.#integer(7) + this.#at;
    if (end > this.#block.length) throw new Error("a header block is cut short");
    const from = this.#at;
    this.#at = end;
    return isCompressed ? decodeHuffman(this.#block.subarray(from, end)) : this.#block.toString("latin1", from, end);
  }
}

function integer(value: number, bits: number, high: number): number[] {
  const mask = 2 ** bits - 1;
  if (value < mask) return [high | value];
  const octets = [high | mask];
  let rest = value - mask;
  for (; rest >= 128; rest = Math.floor(rest / 128)) octets.push((rest & 0x7f) | 0x80);
  return [...octets, rest];
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, "latin1");
  return Buffer.concat([Buffer.from(integer(bytes.length, 7, 0)), bytes]);
}

/** A block that says the same wherever it stands: it refers to nothing but the standard's own table. */
export function encodeHeaders(fields: Iterable<Field>): Buffer {
  const parts: Buffer[] = [];
  for (const [name, value] of fields) {
    const index = STATIC.findIndex(([known, of]) => known === name && of === value) + 1;
    if (index > 0) parts.push(Buffer.from(integer(index, 7, 0x80)));
    else parts.push(Buffer.from([0]), text(name), text(value));
  }
  return Buffer.concat(parts);
}

/** Stands before a connection's first block: what is written uses no table, however large the other side lets it be. */
export const NO_TABLE = Buffer.from(integer(0, 5, 0x20));
