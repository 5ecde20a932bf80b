import { encodeHeaders, HeaderDecoder, NO_TABLE } from "./hpack";
import { decodeHuffman } from "./huffman";

const bytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(" ", ""), "hex");
const decodeAll = (...blocks: string[]) => {
  const decoder = new HeaderDecoder();
  return blocks.map((block) => [...decoder.decode(bytes(block))].map(([name, value]) => `${name}: ${value}`));
};

/** The examples of RFC 7541, appendix C. */
describe("the standard's examples", () => {
  test.each([
    ["C.2.1", "400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572", "custom-key: custom-header"],
    ["C.2.2", "040c 2f73 616d 706c 652f 7061 7468", ":path: /sample/path"],
    ["C.2.3", "1008 7061 7373 776f 7264 0673 6563 7265 74", "password: secret"],
    ["C.2.4", "82", ":method: GET"],
  ])("%s", (_name, block, field) => {
    expect(decodeAll(block)).toEqual([[field]]);
  });

  const requests = [
    [":method: GET", ":scheme: http", ":path: /", ":authority: www.example.com"],
    [":method: GET", ":scheme: http", ":path: /", ":authority: www.example.com", "cache-control: no-cache"],
    [":method: GET", ":scheme: https", ":path: /index.html", ":authority: www.example.com", "custom-key: custom-value"],
  ];

  test("C.3, requests that refer to those before", () => {
    const blocks = [
      "8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
      "8286 84be 5808 6e6f 2d63 6163 6865",
      "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65",
    ];
    expect(decodeAll(...blocks)).toEqual(requests);
  });

  test("C.4, the same with Huffman codes", () => {
    const blocks = [
      "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
      "8286 84be 5886 a8eb 1064 9cbf",
      "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
    ];
    expect(decodeAll(...blocks)).toEqual(requests);
  });
});

test("the oldest fields leave the table when it is full", () => {
  const field = (name: string, value: string): Buffer =>
    Buffer.concat([bytes("40"), Buffer.from([name.length]), Buffer.from(name), Buffer.from([value.length]), Buffer.from(value)]);
  const decoder = new HeaderDecoder();
  const value = "v".repeat(100);
  for (let i = 0; i < 100; i++) decoder.decode(field(`name-${i}`, value));
  // 4,096 bytes, 139 each: 29 of them, from index 62 on.
  expect([...decoder.decode(bytes("be"))]).toEqual([["name-99", value]]);
  expect([...decoder.decode(Buffer.from([0x80 | (62 + 28)]))]).toEqual([["name-71", value]]);
  expect(() => decoder.decode(Buffer.from([0x80 | (62 + 29)]))).toThrow("a header names entry 91 of the table, which it does not have");
});

test("a table that was made smaller loses its fields, and a field larger than the table is not kept", () => {
  const decoder = new HeaderDecoder();
  decoder.decode(bytes("400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572"));
  decoder.decode(bytes("be"));
  decoder.decode(NO_TABLE);
  expect(() => decoder.decode(bytes("be"))).toThrow("a header names entry 62 of the table");
  expect([...decoder.decode(bytes("400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572"))]).toEqual([["custom-key", "custom-header"]]);
  expect(() => decoder.decode(bytes("be"))).toThrow("a header names entry 62 of the table");
});

test("values of the same name are joined", () => {
  expect([
    ...new HeaderDecoder().decode(
      encodeHeaders([
        ["a", "1"],
        ["a", "2"],
      ]),
    ),
  ]).toEqual([["a", "1,2"]]);
});

test("what is encoded is decoded, of every length", () => {
  const fields = [0, 1, 126, 127, 128, 254, 255, 300, 20_000].map((length): [string, string] => [`name-${length}`, "x".repeat(length)]);
  const all = [[":status", "200"], [":method", "POST"], ...fields] as [string, string][];
  expect([...new HeaderDecoder().decode(encodeHeaders(all))]).toEqual(all);
});

test.each([
  ["that is cut in its text", "400a 6375", "a header block is cut short"],
  ["that is cut in a number", "7f", "a header block is cut short"],
  ["with entry 0", "80", "a header names entry 0 of the table, which it does not have"],
  ["with a number that is too large", "ff ffff ffff ff7f", "a header has a number that is too large"],
  ["that makes the table larger than agreed", "3f e2 1f", "a header table of 4097 is larger than was agreed on"],
  ["with the end of the Huffman code in it", "4001 61 84 ffff ffff", "a header holds the end of a Huffman code"],
  ["with a Huffman code that is cut by zeros", "4001 61 81 00", "a header ends within a Huffman code"],
])("a block %s is refused", (_what, block, message) => {
  expect(() => new HeaderDecoder().decode(bytes(block))).toThrow(message);
});

test.each([
  ["ffc7", "\0"],
  ["fff9", "<"],
  ["fffffbbf", "\u00ff"],
  ["", ""],
])("Huffman codes of rare octets: %s", (code, octet) => {
  expect(decodeHuffman(bytes(code))).toBe(octet);
});
