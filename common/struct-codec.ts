/**
 * google.protobuf.Struct between its bytes and plain values, without a message for each value: maps of properties are most of what
 * engine, programs and providers tell each other.
 */

export type Plain = null | boolean | number | string | Plain[] | { [key: string]: Plain };

/** Field numbers of google.protobuf.Struct, ListValue and the entries of a map, and of Value. */
const FIELDS = 1;
const VALUES = 1;
const [KEY, VALUE] = [1, 2];
const KIND = { null: 1, number: 2, string: 3, bool: 4, struct: 5, list: 6 };

const [VARINT, FIXED64, DELIMITED, FIXED32] = [0, 1, 2, 5];
const tagOf = (field: number, wire: number): number => (field << 3) | wire;

/** Below this many characters a loop is faster than a call of Buffer. */
const SHORT = 24;
const FIRST_SIZE = 16 * 1024;

/** The text of the library's own refusal. */
const unexpected = (): Error => new Error("Unexpected struct type.");

/** Writes from the end to the beginning, so that each length is known when it is written. */
class Encoder {
  #buffer = Buffer.allocUnsafe(FIRST_SIZE);
  #start = FIRST_SIZE;

  /** What was written, as bytes of their own. */
  take(): Uint8Array {
    const bytes = Uint8Array.prototype.slice.call(this.#buffer, this.#start);
    this.reset();
    // A map that holds files may have megabytes: a buffer that grew for it is not kept.
    if (this.#buffer.length > 64 * FIRST_SIZE) this.#buffer = Buffer.allocUnsafe(FIRST_SIZE);
    this.#start = this.#buffer.length;
    return bytes;
  }

  reset(): void {
    this.#start = this.#buffer.length;
  }

  #reserve(size: number): void {
    if (size <= this.#start) return;
    const written = this.#buffer.length - this.#start;
    const bigger = Buffer.allocUnsafe(Math.max(2 * this.#buffer.length, written + size));
    this.#buffer.copy(bigger, bigger.length - written, this.#start);
    this.#start = bigger.length - written;
    this.#buffer = bigger;
  }

  #tag(tag: number): void {
    this.#reserve(1);
    this.#start -= 1;
    this.#buffer[this.#start] = tag;
  }

  #varint(value: number): void {
    let size = 1;
    for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 128)) size++;
    this.#reserve(size);
    this.#start -= size;
    let rest = value;
    for (let at = 0; at < size - 1; at++, rest = Math.floor(rest / 128)) this.#buffer[this.#start + at] = (rest & 0x7f) | 0x80;
    this.#buffer[this.#start + size - 1] = rest & 0x7f;
  }

  /** Tag and length of what was written since `end`. */
  #close(tag: number, end: number): void {
    this.#varint(this.#buffer.length - end - this.#start);
    this.#tag(tag);
  }

  /** How much is written so far: stays true when the buffer grows. */
  get #written(): number {
    return this.#buffer.length - this.#start;
  }

  #text(tag: number, text: string): void {
    const before = this.#written;
    if (text.length >= SHORT || !this.#shortAscii(text)) {
      const size = Buffer.byteLength(text, "utf8");
      this.#reserve(size);
      this.#start -= size;
      this.#buffer.write(text, this.#start, size, "utf8");
    }
    this.#close(tag, before);
  }

  #shortAscii(text: string): boolean {
    this.#reserve(text.length);
    const from = this.#start - text.length;
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code > 0x7f) return false;
      this.#buffer[from + at] = code;
    }
    this.#start = from;
    return true;
  }

  #value(value: unknown): void {
    if (typeof value === "string") {
      this.#text(tagOf(KIND.string, DELIMITED), value);
      return;
    }
    if (typeof value === "number") {
      this.#reserve(8);
      this.#start -= 8;
      this.#buffer.writeDoubleLE(value, this.#start);
      this.#tag(tagOf(KIND.number, FIXED64));
      return;
    }
    if (typeof value === "boolean") {
      this.#tag(value ? 1 : 0);
      this.#tag(tagOf(KIND.bool, VARINT));
      return;
    }
    if (value === null) {
      this.#tag(0);
      this.#tag(tagOf(KIND.null, VARINT));
      return;
    }
    if (typeof value !== "object") throw unexpected();
    const before = this.#written;
    if (Array.isArray(value)) {
      this.#list(value);
      this.#close(tagOf(KIND.list, DELIMITED), before);
      return;
    }
    this.struct(value);
    this.#close(tagOf(KIND.struct, DELIMITED), before);
  }

  #list(values: readonly unknown[]): void {
    for (let at = values.length - 1; at >= 0; at--) {
      const before = this.#written;
      this.#value(values[at]);
      this.#close(tagOf(VALUES, DELIMITED), before);
    }
  }

  struct(map: object): void {
    for (const key in map) {
      const entry = this.#written;
      this.#value((map as Record<string, unknown>)[key]);
      this.#close(tagOf(VALUE, DELIMITED), entry);
      this.#text(tagOf(KEY, DELIMITED), key);
      this.#close(tagOf(FIELDS, DELIMITED), entry);
    }
  }
}

const encoder = new Encoder();

/** @throws Error for what no Struct can hold: undefined, functions, bigints */
export function encodeStruct(map: object): Uint8Array {
  try {
    encoder.struct(map);
    return encoder.take();
  } finally {
    encoder.reset();
  }
}

class Decoder {
  #at = 0;

  constructor(private readonly bytes: Buffer) {}

  #varint(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.bytes[this.#at++];
      // Ten bytes hold 64 bits.
      if (byte === undefined || factor > 2 ** 63) throw new Error("a Struct is cut short");
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  }

  /** The end of a part that begins here with its length. */
  #end(): number {
    const size = this.#varint();
    const end = this.#at + size;
    if (end > this.bytes.length) throw new Error("a Struct is cut short");
    return end;
  }

  #skip(wire: number): void {
    if (wire === VARINT) this.#varint();
    else if (wire === FIXED64) this.#at += 8;
    else if (wire === DELIMITED) this.#at = this.#end();
    else if (wire === FIXED32) this.#at += 4;
    else throw new Error(`a Struct has a field of wire type ${wire}`);
  }

  #text(): string {
    const end = this.#end();
    const from = this.#at;
    this.#at = end;
    if (end - from >= SHORT) return this.bytes.toString("utf8", from, end);
    let text = "";
    for (let at = from; at < end; at++) {
      const code = this.bytes[at] ?? 0;
      if (code > 0x7f) return this.bytes.toString("utf8", from, end);
      text += String.fromCharCode(code);
    }
    return text;
  }

  #value(end: number): Plain {
    let value: Plain | undefined;
    while (this.#at < end) {
      const tag = this.#varint();
      if (tag === tagOf(KIND.string, DELIMITED)) value = this.#text();
      else if (tag === tagOf(KIND.number, FIXED64)) {
        value = this.bytes.readDoubleLE(this.#at);
        this.#at += 8;
      } else if (tag === tagOf(KIND.bool, VARINT)) value = this.#varint() !== 0;
      else if (tag === tagOf(KIND.null, VARINT)) {
        this.#varint();
        value = null;
      } else if (tag === tagOf(KIND.struct, DELIMITED)) value = this.struct(this.#end());
      else if (tag === tagOf(KIND.list, DELIMITED)) value = this.#list(this.#end());
      else this.#skip(tag & 7);
    }
    if (value === undefined) throw new Error("Unexpected struct type");
    return value;
  }

  #list(end: number): Plain[] {
    const values: Plain[] = [];
    while (this.#at < end) {
      const tag = this.#varint();
      if (tag === tagOf(VALUES, DELIMITED)) values.push(this.#value(this.#end()));
      else this.#skip(tag & 7);
    }
    return values;
  }

  #entry(end: number): [string, Plain] {
    let key = "";
    let value: Plain | undefined;
    while (this.#at < end) {
      const tag = this.#varint();
      if (tag === tagOf(KEY, DELIMITED)) key = this.#text();
      else if (tag === tagOf(VALUE, DELIMITED)) value = this.#value(this.#end());
      else this.#skip(tag & 7);
    }
    if (value === undefined) throw new Error("Unexpected struct type");
    return [key, value];
  }

  struct(end: number): { [key: string]: Plain } {
    const entries: [string, Plain][] = [];
    while (this.#at < end) {
      const tag = this.#varint();
      if (tag === tagOf(FIELDS, DELIMITED)) entries.push(this.#entry(this.#end()));
      else this.#skip(tag & 7);
    }
    return fromEntries(entries);
  }
}

/** An object with sorted keys, as the library makes it. Go sends the entries of a map in any order. */
function fromEntries(entries: [string, Plain][]): { [key: string]: Plain } {
  for (let at = 1; at < entries.length; at++) {
    if ((entries[at - 1]?.[0] ?? "") < (entries[at]?.[0] ?? "")) continue;
    entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    break;
  }
  const map: { [key: string]: Plain } = {};
  for (const [key, value] of entries) {
    if (key === "__proto__") Object.defineProperty(map, key, { value, enumerable: true, writable: true, configurable: true });
    else map[key] = value;
  }
  return map;
}

/** @throws Error for bytes that are no Struct */
export function decodeStruct(bytes: Uint8Array): { [key: string]: Plain } {
  return new Decoder(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)).struct(bytes.byteLength);
}
