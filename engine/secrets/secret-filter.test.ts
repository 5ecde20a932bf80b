import fc from "fast-check";
import { SIGNATURE, SIGNATURE_KEY } from "../../common/signatures";
import { SecretFilter } from "./secret-filter";

const filterOf = (...secrets: string[]): SecretFilter => {
  const filter = new SecretFilter();
  filter.add(secrets);
  return filter;
};

test.each([
  ["ab", "ab stays, and so do true and FALSE", "ab stays, and so do true and FALSE"],
  ["true", "true", "true"],
  ["é", "é", "é"],
  ["abc", "xabcx", "x[secret]x"],
  ["éé", "ééé", "[secret]é"],
  ['a"b\n<c>', 'raw a"b\n<c>, JSON a\\"b\\n<c>, Go a\\"b\\n\\u003cc\\u003e', "raw [secret], JSON [secret], Go [secret]"],
  ["$&.*", "a $&.* b", "a [secret] b"],
])("of the secret %j", (secret, text, shown) => {
  expect(filterOf(secret).text(text)).toBe(shown);
});

test("a secret that begins with another one is hidden whole", () => {
  expect(filterOf("abc", "abcdef").text("abcdef abc")).toBe("[secret] [secret]");
});

test("a line of a longer secret is hidden by itself: output comes in lines", () => {
  const key = "-----BEGIN KEY-----\nq8Zx0pLmN4vB7yTtR2wE\nhJ6kD9sA1fG3uI5oP8cV\n-----END KEY-----\n";
  expect(filterOf(key).text("line q8Zx0pLmN4vB7yTtR2wE")).toBe("line [secret]");
});

test("whatever the secret, no text of an event has it afterwards, however deep", () => {
  fc.assert(
    fc.property(
      fc.string({ minLength: 3, unit: "grapheme" }).filter((text) => !/^(true|false)$/i.test(text) && !"[secret]".includes(text)),
      fc.string(),
      fc.string(),
      (secret, before, after) => {
        const filter = filterOf(secret);
        const text = `${before}${secret}${after}`;
        const state = {
          type: "t",
          urn: "u",
          id: text,
          parent: "",
          provider: "",
          inputs: { list: [{ text, json: JSON.stringify({ text }) }] },
          outputs: { text },
        };
        const metadata = { op: "create", urn: "u", type: "t", old: state, new: state, detailedDiff: null, provider: "" };
        const events = [
          filter.event({ resourcePreEvent: { metadata } }),
          filter.event({ resOutputsEvent: { metadata } }),
          filter.event({ resOpFailedEvent: { metadata, status: 0, steps: 0 } }),
          filter.event({ diagnosticEvent: { prefix: "", message: text, color: "never", severity: "info" } }),
          filter.event({ stdoutEvent: { message: text, color: "never" } }),
        ];
        const texts: string[] = [];
        const collect = (value: unknown, key = ""): void => {
          if (typeof value === "string" && ["id", "text", "json", "message"].includes(key)) texts.push(value);
          else if (typeof value === "object" && value !== null) for (const [name, item] of Object.entries(value)) collect(item, name);
        };
        collect(events);
        expect(texts).toHaveLength(3 * 2 * 4 + 2);
        // The mask itself may contain the secret, or form it together with the text around it: so it is replaced first.
        const left = texts.filter((one) => one.replaceAll("[secret]", "\u0000").includes(secret));
        expect(left).toEqual([]);
      },
    ),
    { numRuns: 200 },
  );
});

test("what is in a secret is not touched: masked already, or shown to whoever asked", () => {
  const secret = { [SIGNATURE_KEY]: SIGNATURE.secret, value: "long-enough" };
  const state = { type: "t", urn: "u", id: "", parent: "", provider: "", inputs: { secret, plain: "long-enough" }, outputs: {} };
  const metadata = { op: "create", urn: "u", type: "t", old: null, new: state, detailedDiff: null, provider: "" };
  expect(filterOf("long-enough").event({ resourcePreEvent: { metadata } })).toMatchObject({
    resourcePreEvent: { metadata: { new: { inputs: { secret, plain: "[secret]" } } } },
  });
});
