/**
 * The language of rules in definitions (CEL), as Kubernetes has it: the evaluator is Buf's, held by its makers to the language's own
 * conformance tests. What Kubernetes adds is here as far as published definitions need it; a function that is not known is named.
 */
import type { CelFunc, CelInput, CelValue } from "@bufbuild/cel";
import type { Schema } from "./field-schema";
import { isMap, type Json, type JsonMap } from "./objects";
import { isUrl, schemeOf } from "./rule-urls";

type Cel = typeof import("@bufbuild/cel");

/** Values of a rule: `self`, and `oldSelf` where there is an older value. */
export type RuleValues = Record<string, CelInput>;

export interface Rule {
  /** Whether it compares with the value before. */
  readonly usesOld: boolean;
  /** Functions that are not known here. Such a rule is not evaluated. */
  readonly unknown: readonly string[];
  /** The result, or why there is none, in the words of the evaluator. */
  evaluate(values: RuleValues): CelValue | { failed: string };
}

/** Operators and functions of the language itself, and of its strings that Kubernetes has too. */
const KNOWN = new Set(
  (
    "_?_:_ _&&_ _||_ !_ -_ _+_ _-_ _*_ _/_ _%_ _==_ _!=_ _<_ _<=_ _>_ _>=_ _[_] @in @not_strictly_false " +
    "size contains startsWith endsWith matches bool bytes double duration dyn int string timestamp type uint " +
    "getDate getDayOfMonth getDayOfWeek getDayOfYear getFullYear getHours getMilliseconds getMinutes getMonth getSeconds " +
    "charAt indexOf lastIndexOf lowerAscii upperAscii replace split substring trim join isURL url getScheme"
  ).split(" "),
);

/** A text that was read as an address. */
const URL_KEY = "url";

let loaded: { cel: Cel; environment: ReturnType<Cel["celEnv"]> } | undefined;

/** The evaluator is loaded with the first rule. */
function language(): NonNullable<typeof loaded> {
  if (loaded !== undefined) return loaded;
  const cel = require("@bufbuild/cel") as Cel;
  const { strings } = require("@bufbuild/cel/ext") as typeof import("@bufbuild/cel/ext");
  const { RE2JS } = require("re2js") as typeof import("re2js");
  const { BOOL, DYN, STRING } = cel.CelScalar;
  const address = cel.mapType(STRING, DYN);
  const ofKubernetes: CelFunc[] = [
    cel.celFunc("isURL", [STRING], BOOL, (text) => isUrl(text)),
    cel.celFunc("url", [STRING], address, (text) => {
      if (!isUrl(text)) throw new Error(`URL parse error during conversion from string: parse ${JSON.stringify(text)}: invalid URI for request`);
      return new Map([[URL_KEY, text]]);
    }),
    cel.celMethod("getScheme", address, [], STRING, function getScheme() {
      return schemeOf(String(this.get(URL_KEY)));
    }),
  ];
  // Patterns have the syntax of Go.
  const re2 = { compile: (pattern: string) => ({ test: (text: string) => RE2JS.compile(pattern).matcher(text).find() }) };
  loaded = { cel, environment: cel.celEnv({ funcs: [...strings, ...ofKubernetes], re2 }) };
  return loaded;
}

/** Names of called functions and of values, in a parsed expression. */
function namesIn(node: unknown, calls: Set<string>, values: Set<string>): void {
  if (Array.isArray(node)) for (const item of node) namesIn(item, calls, values);
  if (typeof node !== "object" || node === null || Array.isArray(node)) return;
  const { case: kind, value } = node as { case?: unknown; value?: { function?: unknown; name?: unknown } };
  if (kind === "callExpr") calls.add(String(value?.function));
  if (kind === "identExpr") values.add(String(value?.name));
  for (const inner of Object.values(node)) namesIn(inner, calls, values);
}

function compiled(text: string): Rule {
  const { cel, environment } = language();
  const [calls, values] = [new Set<string>(), new Set<string>()];
  let run: (values: RuleValues) => unknown;
  try {
    const parsed = cel.parse(text);
    // The source information beside it has the macros that were written.
    namesIn(parsed.expr, calls, values);
    run = cel.plan(environment, parsed) as typeof run;
  } catch (error) {
    return { usesOld: false, unknown: [`its syntax (${error instanceof Error ? error.message : String(error)})`], evaluate: () => ({ failed: "" }) };
  }
  return {
    usesOld: values.has("oldSelf"),
    unknown: [...calls].filter((name) => !KNOWN.has(name)).map((name) => `${name}()`),
    evaluate(given) {
      const result = run(given);
      return cel.isCelError(result) ? { failed: wordsOf(result.message) } : (result as CelValue);
    },
  };
}

/** As the server words what it finds only while it evaluates. */
const wordsOf = (message: string): string => message.replace(/^field not found: /, "no such key: ");

const rules = new Map<string, Rule>();

/** Each text is compiled once, whichever definitions and clusters have it. */
export function ruleOf(text: string): Rule {
  let rule = rules.get(text);
  if (rule === undefined) {
    rule = compiled(text);
    rules.set(text, rule);
  }
  return rule;
}

const RESERVED = new Set("true false null in as break const continue else for function if import let loop package namespace return var void while".split(" "));

/** The name of a property in a rule; undefined for one that no rule can name. */
function escaped(name: string): string | undefined {
  if (RESERVED.has(name)) return `__${name}__`;
  const plain = name.replaceAll("__", "__underscores__").replaceAll(".", "__dot__").replaceAll("-", "__dash__").replaceAll("/", "__slash__");
  return /^[A-Za-z_]\w*$/.test(plain) ? plain : undefined;
}

const NANOSECONDS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
  d: 86_400_000_000_000n,
  w: 604_800_000_000_000n,
};

function durationOf(text: string): CelInput {
  const { create } = require("@bufbuild/protobuf") as typeof import("@bufbuild/protobuf");
  const { DurationSchema } = require("@bufbuild/protobuf/wkt") as typeof import("@bufbuild/protobuf/wkt");
  let total = 0n;
  for (const [, number = "", unit = ""] of text.replaceAll(" ", "").matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h|d|w)/g))
    total += BigInt(Math.round(Number(number) * Number(NANOSECONDS[unit])));
  return create(DurationSchema, { seconds: total / 1_000_000_000n, nanos: Number(total % 1_000_000_000n) });
}

function textOf(text: string, format: Json | undefined): CelInput {
  if (format === "duration") return durationOf(text);
  if (format === "byte") return new Uint8Array(Buffer.from(text, "base64"));
  if (format !== "date-time" && format !== "date") return text;
  const { timestampFromDate } = require("@bufbuild/protobuf/wkt") as typeof import("@bufbuild/protobuf/wkt");
  return timestampFromDate(new Date(text));
}

/** What rules see of an object's metadata. */
function metadataOf(value: Json | undefined): CelInput {
  const { name, generateName } = isMap(value) ? value : ({} as JsonMap);
  return new Map([
    ["name", name ?? ""],
    ["generateName", generateName ?? ""],
  ] as [string, string][]);
}

function mapOf(value: JsonMap, schema: JsonMap, isObject: boolean): CelInput {
  const seen = new Map<string, CelInput>();
  const properties = isMap(schema["properties"]) ? schema["properties"] : {};
  const others = schema["additionalProperties"];
  for (const [key, entry] of Object.entries(value)) {
    const own = properties[key];
    if (isObject && (key === "apiVersion" || key === "kind")) seen.set(key, String(entry));
    else if (isObject && key === "metadata") seen.set(key, metadataOf(entry));
    else if (isMap(own)) {
      const name = escaped(key);
      if (name !== undefined) seen.set(name, ruleValue(entry, own));
    } else if (isMap(others)) seen.set(key, ruleValue(entry, others));
  }
  return seen;
}

/** A value as rules see it: numbers and texts by what its schema says, and what its schema does not have not at all. */
export function ruleValue(value: Json, schema: Schema, root = false): CelInput {
  if (typeof value === "string") return textOf(value, schema?.["format"]);
  if (typeof value === "number") return Number.isInteger(value) && schema?.["type"] !== "number" ? BigInt(value) : value;
  if (Array.isArray(value)) {
    const items = isMap(schema?.["items"]) ? schema["items"] : undefined;
    return value.map((entry) => ruleValue(entry, items));
  }
  if (isMap(value)) return mapOf(value, schema ?? {}, root || schema?.["x-kubernetes-embedded-resource"] === true);
  return value;
}
