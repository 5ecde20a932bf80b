import * as fc from "fast-check";
import { createRedactor, isWorthHiding, REDACTED } from "./redact";

/** Values like those of SOPS files: random, with the characters that quoting and escaping change, sometimes of several lines. */
const secret = fc
  .array(fc.constantFrom(..."abcXYZ0189 '\"\\/<>&%+=!(){}$`é漢🙂\n\t-_.:@#"), { minLength: 12, maxLength: 60 })
  .map((chars) => `k7${chars.join("")}q9`)
  // What looks like a plain URL or host is shown on purpose; a test of its own says so.
  .filter(isWorthHiding);

const FORMS: Record<string, (value: string) => string> = {
  plain: (v) => v,
  "JSON-escaped": (v) => JSON.stringify({ v }),
  "JSON in JSON": (v) => JSON.stringify(JSON.stringify(v)),
  "JSON as Go writes it": (v) => JSON.stringify(v).replaceAll("<", "\\u003c").replaceAll(">", "\\u003e").replaceAll("&", "\\u0026"),
  "URL-escaped": (v) => `?a=${encodeURIComponent(v)}&b=1`,
  "shell-quoted": (v) => `'${v.replaceAll("'", `'\\''`)}'`,
  HTML: (v) => `<td>${v.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;")}</td>`,
};

test.each(Object.keys(FORMS))("a registered value does not appear in %s form", async (name) => {
  const form = FORMS[name];
  if (form === undefined) throw new Error(name);
  await fc.assert(
    fc.property(secret, (value) => {
      const redactor = createRedactor();
      redactor.register(value);
      const shown = form(value);
      const redacted = redactor.redact(`before ${shown} after`);
      expect(redacted).toContain(REDACTED);
      expect(redacted).not.toContain(value);
      expect(redacted.startsWith("before ") && redacted.endsWith(" after")).toBe(true);
      expect(redacted.length).toBeLessThan(shown.length + 40);
    }),
    { numRuns: 50 },
  );
});

test("base64 hides a value at every alignment inside a longer text", async () => {
  await fc.assert(
    fc.property(secret, fc.string({ maxLength: 9 }), fc.string({ maxLength: 9 }), (value, before, after) => {
      const redactor = createRedactor();
      redactor.register(value);
      const encoded = Buffer.from(before + value + after).toString("base64");
      const redacted = redactor.redact(encoded);
      expect(redacted).toContain(REDACTED);
      // What is left cannot be joined to the value again: at most the neighbours and one shared character at each end.
      const neighbours = Math.ceil((Buffer.byteLength(before) + Buffer.byteLength(after)) * (4 / 3)) + 8;
      expect(redacted.replaceAll(REDACTED, "").length).toBeLessThanOrEqual(neighbours);
    }),
    { numRuns: 100 },
  );
});

test("each line of a long value is hidden where it stands alone, and the frame of a key is not", () => {
  const redactor = createRedactor();
  redactor.register("-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIKqz\nZm9vYmFyYmF6cXV4\n-----END PRIVATE KEY-----\n");
  expect(redactor.redact("line 2: Zm9vYmFyYmF6cXV4.")).toBe(`line 2: ${REDACTED}.`);
  expect(redactor.redact("-----BEGIN PRIVATE KEY-----")).toBe("-----BEGIN PRIVATE KEY-----");
});

test.each(["true", "5432", "admin", "postgres", "192.168.1.248", "https://192.168.1.248:8006", "s3.fullstack.pw", "/etc/hosts", ""])(
  "the common value %p is not hidden",
  (value) => {
    const redactor = createRedactor();
    redactor.register(value);
    expect(isWorthHiding(value)).toBe(false);
    expect(redactor.redact(`see ${value} here`)).toBe(`see ${value} here`);
  },
);

test("a value inside another registered one leaves nothing of the longer one", () => {
  const redactor = createRedactor();
  redactor.register("hunter2-hunter2");
  redactor.register("hunter2");
  expect(redactor.redact("x hunter2-hunter2 y hunter2 z")).toBe(`x ${REDACTED} y ${REDACTED} z`);
});

test("a text without secrets is left as it is", async () => {
  const redactor = createRedactor();
  redactor.register("c0rrect-horse");
  await fc.assert(fc.property(fc.string(), (text) => text.includes("c0rrect-horse") || redactor.redact(text) === text));
});
