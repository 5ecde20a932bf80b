/** Huffman-coded strings of HPACK (RFC 7541, appendix B). The code is canonical: the lengths of its words say all. */

/** Bits of each octet's code word; the last one ends a string. */
const LENGTHS = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11,
  10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7,
  8, 13, 19, 13, 14, 6, 15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23,
  22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23,
  23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23, 26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26,
  27, 24, 21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27,
  27, 27, 26, 30,
];
const END = 256;
const LONGEST = 30;

/** Of each length: its first code word, how many there are, and where their octets begin in `octets`. */
const first: number[] = [];
const count: number[] = [];
const start: number[] = [];
const octets: number[] = [];

for (let length = 0, code = 0; length <= LONGEST; length++, code *= 2) {
  first.push(code);
  start.push(octets.length);
  for (const [octet, bits] of LENGTHS.entries()) if (bits === length) octets.push(octet);
  count.push(octets.length - (start[length] ?? 0));
  code += count[length] ?? 0;
}

/** @throws Error for what is no such string */
export function decodeHuffman(bytes: Buffer): string {
  let text = "";
  let [code, length] = [0, 0];
  for (const byte of bytes)
    for (let bit = 7; bit >= 0; bit--) {
      code = code * 2 + ((byte >> bit) & 1);
      length++;
      const at = code - (first[length] ?? 0);
      if (at >= (count[length] ?? 0) || at < 0) {
        if (length >= LONGEST) throw new Error("a header is no Huffman code");
        continue;
      }
      const octet = octets[(start[length] ?? 0) + at] ?? END;
      if (octet === END) throw new Error("a header holds the end of a Huffman code");
      text += String.fromCharCode(octet);
      [code, length] = [0, 0];
    }
  // What is left over are the first bits of the end: all ones, and less than an octet.
  if (length > 7 || code !== 2 ** length - 1) throw new Error("a header ends within a Huffman code");
  return text;
}
