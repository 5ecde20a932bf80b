/** Check for bridged resources: types, unknown names, defaults with the bridge's `__defaults` notes, generated names. */
import { createHash, randomBytes } from "node:crypto";
import type { CheckFailure } from "./resource";
import type { Fields, Property } from "./schema";
import { notKnown } from "./unknown-input";
import { isValues, Unknown, type Value, type Values } from "./values";

const NOTES = "__defaults";

interface Naming {
  /** The resource's name in the program. */
  name: string;
  /** Makes the name in the update the one that the preview showed. */
  seed: Uint8Array;
}

function typeName(value: Value): string {
  return value === null ? "null" : Array.isArray(value) ? "list" : isValues(value) ? "object" : typeof value;
}

const EXPECTED: Record<Property["kind"], string> = {
  string: "string",
  number: "number",
  boolean: "boolean",
  list: "list",
  set: "list",
  map: "object",
  block: "object",
};

/** The bridge takes `"4"` for 4 and `"true"` for true, and the other way round. */
function coerced(value: Value, kind: Property["kind"]): Value {
  if (kind === "string" && (typeof value === "number" || typeof value === "boolean")) return String(value);
  if (typeof value !== "string") return value;
  if (kind === "number" && /^-?\d+(\.\d+)?$/.test(value)) return Number(value);
  if (kind === "boolean" && (value === "true" || value === "false")) return value === "true";
  return value;
}

class Check {
  readonly failures: CheckFailure[] = [];

  constructor(private readonly naming: Naming) {}

  #fail(property: string, reason: string): void {
    this.failures.push({ property, reason });
  }

  #defaultFor(key: string, property: Property, olds: Values | undefined): Value | undefined {
    const noted = olds?.[NOTES];
    const old = olds?.[key];
    const wasDefault = !Array.isArray(noted) || noted.includes(key);
    const hasDefault = property.default !== undefined || property.autoName === true;
    if (!hasDefault) return undefined;
    if (old !== undefined && old !== null && wasDefault) return old;
    return property.autoName === true ? this.#generatedName() : property.default;
  }

  #generatedName(): string {
    const { name, seed } = this.naming;
    const digits = seed.length === 0 ? randomBytes(4).toString("hex") : createHash("sha256").update(seed).update(name).digest("hex");
    return `${name}-${digits.slice(0, 7)}`;
  }

  fields(fields: Fields, news: Values, olds: Values | undefined, path: string): Values {
    const inputs: Values = {};
    for (const [key, value] of Object.entries(news)) {
      if (key === NOTES || value === null) continue;
      const property = fields[key];
      if (property === undefined) this.#fail(`${path}${key}`, notKnown(key, Object.keys(fields)));
      else inputs[key] = this.#value(property, value, olds?.[key], `${path}${key}`);
    }
    const defaulted: string[] = [];
    for (const [key, property] of Object.entries(fields)) {
      if (key in inputs) continue;
      const value = this.#defaultFor(key, property, olds);
      if (value !== undefined) {
        inputs[key] = value;
        defaulted.push(key);
      } else if (property.required === true) this.#fail(`${path}${key}`, "is required");
    }
    return { ...inputs, [NOTES]: defaulted.sort() };
  }

  #value(property: Property, given: Value, old: Value | undefined, path: string): Value {
    if (given instanceof Unknown) return given;
    const value = coerced(given, property.kind);
    const actual = typeName(value);
    if (actual !== EXPECTED[property.kind]) {
      this.#fail(path, `must be a ${EXPECTED[property.kind]}, not a ${actual}`);
      return value;
    }
    const complaint = property.validate?.(value);
    if (complaint !== undefined) this.#fail(path, complaint);
    if (property.kind === "block" && isValues(value)) return this.fields(property.fields, value, isValues(old) ? old : undefined, `${path}.`);
    if ((property.kind === "list" || property.kind === "set") && Array.isArray(value)) {
      return value.map((item, i) => this.#value(property.of, item, Array.isArray(old) ? old[i] : undefined, `${path}[${i}]`));
    }
    return value;
  }
}

export function checkSchema(fields: Fields, news: Values, olds: Values | undefined, naming: Naming): { inputs: Values; failures: CheckFailure[] } {
  const check = new Check(naming);
  const inputs = check.fields(fields, news, olds, "");
  return { inputs, failures: check.failures };
}

/** The value without the notes that Check left in it. */
export function withoutNotes<T extends Value>(value: T): T {
  if (Array.isArray(value)) return value.map(withoutNotes) as T;
  if (!isValues(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => key !== NOTES)
      .map(([key, item]) => [key, withoutNotes(item)]),
  ) as T;
}
