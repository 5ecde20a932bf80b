import * as fc from "fast-check";
import { createRedactor, REDACTED } from "./redact";
import { isWorthHiding } from "./redact-worth";

/** Values like those of SOPS files: random, with the characters that quoting and escaping change, sometimes of several lines. */
const secret = fc
  .array(fc.constantFrom(..."abcXYZ0189 '\"\\/<>&%+=!(){}$`é漢🙂\n\t-_.:@#"), { minLength: 12, maxLength: 60 })
  .map((chars) => `k7${chars.join("")}q9`)
  // What looks like a plain URL or host is shown on purpose; a test of its own says so.
  .filter(isWorthHiding);

const redactorOf = (...values: string[]) => {
  const redactor = createRedactor();
  for (const value of values) redactor.register(value);
  return redactor;
};

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

const base64 = (bytes: number) => fc.uint8Array({ minLength: bytes, maxLength: bytes + 16 }).map((raw) => Buffer.from(raw).toString("base64"));
const token = fc.array(fc.constantFrom(..."abcdefghijklmnopqrstuvwxyz0123456789"), { minLength: 20, maxLength: 48 }).map((chars) => chars.join(""));
const host = fc.constantFrom("hooks.example.com", "chat.fullstack.pw", "minio:9000", "192.168.1.9");

test.each<[string, fc.Arbitrary<string>]>([
  ["base64 that starts with a slash", base64(18).map((text) => `/${text}`)],
  ["base64 with slashes that starts like a path", base64(24).map((text) => `/etc/${text}`)],
  ["a URL with a lower-case token in its path", fc.tuple(host, token).map(([name, secret]) => `https://${name}/hook/${secret}`)],
  ["a URL with an upper-case token in its path", fc.tuple(host, token).map(([name, secret]) => `https://${name}/services/${secret.toUpperCase()}/x`)],
  ["a URL with a token in its query", fc.tuple(host, token).map(([name, secret]) => `https://${name}/hook?key=${secret}`)],
  ["a URL with credentials", fc.tuple(host, token).map(([name, secret]) => `postgres://app:${secret}@${name}/db`)],
  ["a token with dots, like a host", fc.tuple(token, token).map(([a, b]) => `${a}.${b}.com`)],
  ["two words with a dot, like a host", fc.constantFrom("hunter.two", "correct.horse", "battery.staple.again")],
])("%s is hidden", async (_, arbitrary) => {
  await fc.assert(
    fc.property(arbitrary, (value) => {
      expect(redactorOf(value).redact(`see ${value} here`)).toBe(`see ${REDACTED} here`);
    }),
    { numRuns: 200 },
  );
});

test.each([
  "https://pihole.fullstack.pw/admin",
  "http://minio:9000",
  "https://192.168.1.248:8006/api2/json",
  "/var/lib/rancher/k3s",
  "s3.eu-frankfurt-1.example.com",
])("the place %p is not hidden", (value) => {
  expect(redactorOf(value).redact(value)).toBe(value);
});

test.each<[string, (value: string) => string]>([
  ["double-quoted", (v) => `"${v.replace(/[$`"\\]/g, "\\$&")}"`],
  ["backslash-quoted", (v) => v.replace(/[^A-Za-z0-9_@%+=:,./\n-]/g, "\\$&")],
  ["with the line ends of another system", (v) => v.trim().replaceAll("\n", "\r\n")],
])("a value that a shell was given %s does not appear", async (_, form) => {
  await fc.assert(
    fc.property(secret, (value) => {
      const redacted = redactorOf(value).redact(`a ${form(value)} b`);
      expect(redacted).toContain(REDACTED);
      expect(redacted.length).toBeLessThan(form(value).length + 40);
    }),
    { numRuns: 50 },
  );
});

test("long base64 and keys are found however their lines are broken or indented", async () => {
  const long = fc.array(fc.constantFrom(..."abcXYZ0189+/"), { minLength: 90, maxLength: 300 }).map((chars) => chars.join(""));
  await fc.assert(
    fc.property(long, fc.integer({ min: 16, max: 80 }), fc.constantFrom("\n", "\n    ", "\r\n", "\\n"), (value, width, between) => {
      const broken = (text: string) => (text.match(new RegExp(`.{1,${width}}`, "g")) ?? []).join(between);
      expect(redactorOf(value).redact(`x: ${broken(Buffer.from(value).toString("base64"))}`)).not.toMatch(/[A-Za-z0-9+/]{9}/);
      const key = `-----BEGIN KEY-----\n${value}\n-----END KEY-----\n`;
      expect(redactorOf(key).redact(`x: -----BEGIN KEY-----${between}${broken(value)}${between}-----END KEY----- after`)).toBe(`x: ${REDACTED} after`);
    }),
    { numRuns: 100 },
  );
});

describe("a short value inside a longer base64 text", () => {
  const short = fc.array(fc.constantFrom(..."abcXYZ0189.!-_ é"), { minLength: 6, maxLength: 34 }).map((chars) => `k7${chars.join("")}q9`);
  const filler = fc.string({ minLength: 60, maxLength: 130 });
  const widths = fc.constantFrom(16, 20, 64, 70, 76);
  const breaks = fc.constantFrom("\n", "\n    ", "\r\n", "\\n", "\\r\\n", "\\\\n");
  const wrapped = (text: string, width: number, between: string) =>
    (
      Buffer.from(text)
        .toString("base64")
        .match(new RegExp(`.{1,${width}}`, "g")) ?? []
    ).join(between);
  const withoutLayout = (text: string) => text.replaceAll(REDACTED, "!").replace(/\s|\\+[nr]/g, "");

  test("is found wherever a line break falls into it", async () => {
    await fc.assert(
      fc.property(short, filler, filler, widths, breaks, (value, before, after, width, between) => {
        const redacted = redactorOf(value).redact(`x: ${wrapped(before + value + after, width, between)}`);
        expect(redacted).toContain(REDACTED);
        // At most one shared character is left of it at each end, and nothing else of the text is hidden.
        const hidden = (Buffer.byteLength(value) * 4) / 3;
        const left = withoutLayout(redacted).replaceAll("!", "").length;
        const whole = withoutLayout(`x: ${wrapped(before + value + after, width, "")}`).length;
        expect(Math.abs(whole - left - hidden)).toBeLessThanOrEqual(3);
      }),
      { numRuns: 300 },
    );
  });

  test("is found in a part of a longer value too", () => {
    const token = "eyJhbGciOiJFUzI1NiJ9abcdef";
    const redacted = redactorOf(`apiVersion: v1\nusers:\n- name: dev\n  user:\n    token: ${token}\n`).redact(
      wrapped(`${"x".repeat(48)}${token}${"y".repeat(48)}`, 76, "\n"),
    );
    expect(redacted).toContain(REDACTED);
    expect(withoutLayout(redacted)).toHaveLength(withoutLayout(wrapped(`${"x".repeat(48)}${"y".repeat(48)}`, 76, "")).length + 3);
  });

  test("is not seen where lines of another text meet", () => {
    // "bGV0bWVpbg" is the base64 text of "letmein".
    const redactor = redactorOf("letmein", "correct-horse-battery");
    for (const text of [
      "bGV0\nbWVpbg==",
      "words of a line bGV0\nbWVpbg== and of another",
      "/a/long/path/of/more/than/16/let\nmein",
      "some-correct-horse-\nbattery",
    ])
      expect(redactor.redact(text)).toBe(text);
  });
});

test("a long value of one line is found in broken lines", () => {
  const value = "QWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXo5ODc2NTQzMjEwQUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo=";
  expect(redactorOf(value).redact(`key: |\n  ${value.slice(0, 64)}\n  ${value.slice(64)}\nnext: 1`)).toBe(`key: |\n  ${REDACTED}\nnext: 1`);
});

test("values that overlap disappear together", () => {
  expect(redactorOf("first-value-one", "one-second-value").redact("a first-value-one-second-value b")).toBe(`a ${REDACTED} b`);
});

test("a kubeconfig hides its keys and not the words that every kubeconfig has", () => {
  const key = Buffer.from("-----BEGIN EC PRIVATE KEY-----").toString("base64");
  const redactor = redactorOf(`apiVersion: v1\nkind: Config\nclusters:\n- name: dev\nusers:\n- name: dev\n  user:\n    client-key-data: ${key}\n`);
  expect(redactor.redact(`apiVersion: v1, kind: Config, ${key}`)).toBe(`apiVersion: v1, kind: Config, ${REDACTED}`);
});

test("what a redacted JSON value holds is hidden in its keys too, and its shape is kept", () => {
  expect(redactorOf("c0rrect-horse").redactDeep({ a: ["x c0rrect-horse", 5, null], "c0rrect-horse": true })).toEqual({
    a: [`x ${REDACTED}`, 5, null],
    [REDACTED]: true,
  });
});

describe("a stream", () => {
  const cut = fc.array(fc.noBias(fc.nat({ max: 10_000 })), { maxLength: 12, size: "max" });

  /** Feeds the text in pieces that end at the given places. */
  function stream(text: string, cuts: readonly number[], ...values: string[]): string[] {
    const out: string[] = [];
    const redacted = redactorOf(...values).stream((piece) => out.push(piece));
    const places = [...new Set(cuts.map((cut) => cut % (text.length + 1)))].sort((a, b) => a - b);
    for (const [i, from] of [0, ...places].entries()) redacted.write(text.slice(from, places[i]));
    redacted.end();
    return out;
  }

  test("hides a value wherever it is cut, and loses nothing else", async () => {
    await fc.assert(
      fc.property(secret, fc.string(), fc.string(), cut, (value, before, after, cuts) => {
        const text = `${before}|${value}|${after}`;
        expect(stream(text, cuts, value).join("")).toBe(redactorOf(value).redact(text));
      }),
      { numRuns: 200 },
    );
  });

  test("hides a value in base64 whose lines are broken, wherever it is cut", async () => {
    const long = fc.array(fc.constantFrom(..."abcXYZ0189"), { minLength: 10, maxLength: 120, size: "max" }).map((chars) => `k7${chars.join("")}q9`);
    const filler = fc.string({ maxLength: 90, size: "max" });
    await fc.assert(
      fc.property(long, filler, filler, fc.constantFrom("\n", "\n  ", "\r\n", "\\n"), cut, (value, before, after, between, cuts) => {
        const text = `x ${(
          Buffer.from(before + value + after)
            .toString("base64")
            .match(/.{1,64}/g) ?? []
        ).join(between)}\nend`;
        expect(stream(text, cuts, value).join("")).toBe(redactorOf(value).redact(text));
      }),
      { numRuns: 300 },
    );
  });

  test("hides a key whose lines were broken anew, wherever it is cut", () => {
    const body = "MIIBVgIBADANBgkqhkiG9w0BAQEFAASCAUAwggE8AgEAAkEAq7BFUpkGp3YaZQ5k";
    const text = `x:\n  -----BEGIN KEY-----\n  ${body.slice(0, 10)}\n  ${body.slice(10, 40)}\n  ${body.slice(40)}\n  -----END KEY-----\nend`;
    for (let at = 0; at <= text.length; at++)
      expect(stream(text, [at], `-----BEGIN KEY-----\n${body}\n-----END KEY-----\n`).join("")).toBe(`x:\n  ${REDACTED}\nend`);
  });

  test("holds back no more than what may be the beginning of a value", () => {
    const out: string[] = [];
    const redacted = redactorOf("c0rrect-horse").stream((piece) => out.push(piece));
    redacted.write("building\n");
    redacted.write("token c0rrect");
    expect(out).toEqual(["building\n", "token "]);
    redacted.write("-horse done\n");
    redacted.write("c0rr");
    redacted.end();
    expect(out).toEqual(["building\n", "token ", `${REDACTED} done\n`, "c0rr"]);
  });
});
