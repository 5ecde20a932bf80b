/** Secrets of many shapes. Each contains a mark by which it is found however it is quoted, escaped or cut. */
import * as fc from "fast-check";

export interface Canary {
  value: string;
  /** Letters and digits, long enough not to occur by chance. */
  mark: string;
}

const mark = fc.array(fc.constantFrom(..."ABCDEFGHJKMNPQRSTUVWXYZabcdefghjkmnpqrstuvwxyz23456789"), { minLength: 24, maxLength: 24 }).map((c) => c.join(""));
const noise = fc.array(fc.constantFrom(..."aZ09 '\"\\/<>&%+=!(){}[]$`@#|~^,;:?*é漢🙂\t-_."), { maxLength: 12 }).map((c) => c.join(""));

const SHAPES: readonly ((mark: string, before: string, after: string) => string)[] = [
  (m) => m,
  (m) => `/${m}/${m.slice(0, 8)}+==`,
  (m) => `https://hooks.example.com/services/${m.toLowerCase()}`,
  (m) => `postgres://app:${m}@10.0.0.5:5432/app?sslmode=require`,
  (m) => `{"user":"a","password":"${m}"}`,
  (m, before, after) => `x${before}${m}${after}y`,
  (m, before, after) => `first line${before}\nsecond ${m} line\n${after}third`,
  (m) =>
    `-----BEGIN PRIVATE KEY-----\n${Buffer.from(m.repeat(9))
      .toString("base64")
      .match(/.{1,64}/g)
      ?.join("\n")}\n-----END PRIVATE KEY-----\n`,
  (m) => `apiVersion: v1\nkind: Config\nusers:\n- name: dev\n  user:\n    token: ${m}\n`,
];

export const canary: fc.Arbitrary<Canary> = fc
  .tuple(fc.constantFrom(...SHAPES), mark, noise, noise)
  .map(([shape, m, before, after]) => ({ value: shape(m, before, after), mark: shape === SHAPES[2] ? m.toLowerCase() : m }));

const shell = (v: string) => `'${v.replaceAll("'", `'\\''`)}'`;

/** The forms in which tools print a value. */
export const FORMS: readonly ((value: string) => string)[] = [
  (v) => `password is ${v}, sorry`,
  (v) => Buffer.from(v).toString("base64"),
  (v) => Buffer.from(`a:${v}`).toString("base64"),
  (v) => Buffer.from(`ab:${v}\n`).toString("base64url"),
  (v) => JSON.stringify({ data: { v } }),
  (v) => JSON.stringify(JSON.stringify({ v })),
  (v) => `GET /?token=${encodeURIComponent(v)} 403`,
  (v) => `sh -c ${shell(v)}: exit 1`,
  (v) =>
    v
      .split("\n")
      .map((line) => `      ${line}`)
      .join("\n"),
  (v) =>
    Buffer.from(v)
      .toString("base64")
      .replace(/.{1,76}/g, "$&\n"),
  (v) => `${v}${v}`,
];

/** The texts that runs of base64 in the text decode to, at every alignment. */
function decoded(text: string): string[] {
  return [...text.replace(/\n\s*/g, "").matchAll(/[A-Za-z0-9+/_-]{24,}/g)].flatMap(([run]) =>
    [0, 1, 2, 3].map((skip) => Buffer.from(run.slice(skip), "base64").toString("latin1")),
  );
}

/** Whether the bytes contain the mark: as it is, or in base64 at any alignment, once or twice encoded. */
export function leaks(bytes: Buffer, { mark: m }: Canary): boolean {
  const text = bytes.toString("utf8");
  const once = decoded(text);
  return text.includes(m) || once.some((plain) => plain.includes(m) || decoded(plain).some((twice) => twice.includes(m)));
}
