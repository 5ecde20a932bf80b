/**
 * `config:` of a project file: what each setting is, and values for all stacks. Rules and words: the CLI's, `ValidateStackConfigAndApplyProjectConfig`
 * and `Project.Validate` of its sources.
 */
import { z } from "zod";
import { CliError } from "../errors";
import { asText, type ConfigValue, getAt, hasSecret, isMap, isSecureLeaf, mapLeaves, parseConfigPath, setAt } from "./value-path";

const TYPES = ["string", "integer", "boolean", "array", "object"] as const;

/** What the items of a list are. */
export interface ItemsType {
  type: (typeof TYPES)[number];
  items?: ItemsType | undefined;
}

const itemsSchema: z.ZodType<ItemsType> = z
  .looseObject({
    type: z.enum(TYPES),
    get items() {
      return itemsSchema.optional();
    },
  })
  .refine(({ type, items }) => type !== "array" || items !== undefined, { message: "a list of lists needs `items` too" });

const declarationSchema = z.strictObject({
  type: z.enum(TYPES).nullish(),
  items: itemsSchema.nullish(),
  description: z.string().nullish(),
  secret: z.boolean().nullish(),
  default: z.custom<ConfigValue>().nullish(),
  value: z.custom<ConfigValue>().nullish(),
});

/** One setting that the project declares. */
export interface Declaration {
  /** As in the project file: the project's own settings have no namespace. */
  key: string;
  /** Undefined: anything. */
  type?: ItemsType["type"] | undefined;
  items?: ItemsType | undefined;
  secret: boolean;
  /** The value for stacks that set none. Null counts as none. */
  given?: ConfigValue | undefined;
}

const isScalar = (value: ConfigValue): value is string | number | bigint | boolean =>
  typeof value === "string" || typeof value === "boolean" || typeof value === "bigint" || (typeof value === "number" && Number.isInteger(value));

const isOwn = (project: string, key: string): boolean => !key.includes(":") || key.startsWith(`${project}:`);

const typeName = (type: string, items: ItemsType | undefined): string => (items === undefined ? type : `array<${typeName(items.type, items.items)}>`);

/** @param value a scalar comes as its text, as in the CLI */
function fits(type: ItemsType["type"], items: ItemsType | undefined, value: ConfigValue): boolean {
  switch (type) {
    case "string":
      return typeof value === "string";
    case "integer":
      return typeof value === "bigint" || (typeof value === "number" && Number.isInteger(value)) || (typeof value === "string" && /^[+-]?\d+$/.test(value));
    case "boolean":
      return typeof value === "boolean" || value === "true" || value === "false";
    case "object":
      return isMap(value);
    case "array":
      return Array.isArray(value) && items !== undefined && value.every((item) => fits(items.type, items.items, item));
  }
}

function declaration(project: string, key: string, { type, items, secret, default: fallback, value }: z.infer<typeof declarationSchema>): Declaration {
  const refuse = (message: string): never => {
    throw new CliError(message);
  };
  const none = (one: ConfigValue | undefined): one is null | undefined => one === undefined || one === null;
  if (!none(fallback) && !none(value)) refuse(`project config '${key}' cannot have both a 'default' and 'value' attribute`);
  if (isOwn(project, key)) {
    if (type === "array" && !items)
      refuse(`The configuration key '${key}' declares an array but does not specify the underlying type via the 'items' attribute`);
    if (type && !none(fallback) && !fits(type, items ?? undefined, fallback))
      refuse(`The default value specified for configuration key '${key}' is not of the expected type '${typeName(type, items ?? undefined)}'`);
  } else {
    if (type) refuse(`Configuration key '${key}' is not namespaced by the project and should not define a type`);
    if (!none(fallback))
      refuse(
        `Configuration key '${key}' is not namespaced by the project and should not define a default value. Did you mean to use the 'value' attribute instead of 'default'?`,
      );
    if (none(value)) refuse(`Configuration key '${key}' is namespaced and must provide an attribute 'value'`);
  }
  return { key, type: type ?? undefined, items: items ?? undefined, secret: secret === true, given: fallback ?? value ?? undefined };
}

/**
 * What a project's `config:` declares. A value by itself is short for `{ default: … }`, or for `{ value: … }` of another namespace.
 * @throws CliError that names the key
 */
export function readDeclarations(project: string, config: Readonly<Record<string, ConfigValue>>): Declaration[] {
  return Object.entries(config).map(([key, entry]) => {
    const short = isScalar(entry) || Array.isArray(entry);
    const parsed = declarationSchema.safeParse(short ? { [isOwn(project, key) ? "default" : "value"]: entry } : entry);
    if (parsed.success) return declaration(project, key, parsed.data);
    const said = isMap(entry) ? z.prettifyError(parsed.error) : "a text, a whole number, true, false, a list, or a map with `type`, `default`, `value`, …";
    throw new CliError(`config '${key}': ${said}`);
  });
}

const byKey = (declarations: readonly Declaration[]): Declaration[] => declarations.toSorted((a, b) => (a.key < b.key ? -1 : 1));

/** A key's name is a path, as the CLI reads it here: `tags.owner` is `owner` in `tags`. */
function locate(project: string, key: string): { key: string; path: ReturnType<typeof parseConfigPath> } {
  const colon = key.lastIndexOf(":");
  const [first, ...path] = parseConfigPath(key.slice(colon + 1));
  return { key: `${colon < 0 ? project : key.slice(0, colon)}:${String(first)}`, path };
}

/** A stack's values, and those that the project gives to each stack that does not have them. @param values by full key */
export function withProjectValues(
  project: string,
  declarations: readonly Declaration[],
  values: Readonly<Record<string, ConfigValue>>,
): Record<string, ConfigValue> {
  const all = { ...values };
  for (const { key: name, given } of byKey(declarations)) {
    const { key, path } = locate(project, name);
    if (given === undefined || getAt(all[key], path) !== undefined) continue;
    // A scalar is stored as text, whatever it looks like.
    const value = setAt(all[key], path, isScalar(given) ? String(given) : given);
    if (value !== undefined) all[key] = value;
  }
  return all;
}

function quoted(keys: readonly string[]): string {
  const [only = ""] = keys;
  if (keys.length === 1) return `'${only}'`;
  return `${keys
    .slice(0, -1)
    .map((key) => `'${key}'`)
    .join(", ")} and '${keys.at(-1)}'`;
}

/**
 * Checks a stack's values against the project's declarations: values that are missing, that must be secret, or that have another type.
 * @param values with those of the project. @param decrypt a ciphertext's text
 * @throws CliError in the CLI's words
 */
export function requireDeclared(
  { project, stack, declarations }: { project: string; stack: string; declarations: readonly Declaration[] },
  values: Readonly<Record<string, ConfigValue>>,
  decrypt: (ciphertext: string) => string,
): void {
  const sorted = byKey(declarations).map((one) => {
    const { key, path } = locate(project, one.key);
    return { ...one, found: getAt(values[key], path) };
  });
  const missing = sorted.filter(({ key, found }) => found === undefined && isOwn(project, key)).map(({ key }) => key);
  if (missing.length > 0)
    throw new CliError(`validating stack config: Stack '${stack}' is missing configuration value${missing.length > 1 ? "s" : ""} ${quoted(missing)}`);
  for (const { key, type, items, secret, found } of sorted) {
    if (type === undefined || found === undefined) continue;
    const prefix = `validating stack config: Stack '${stack}' with configuration key '${key}' must be`;
    if (secret && !hasSecret(found)) throw new CliError(`${prefix} encrypted as it's secret`);
    const plain = mapLeaves(found, decrypt);
    const isWhole = typeof found === "object" && found !== null && !isSecureLeaf(found);
    if (!fits(type, items, isWhole ? plain : asText(plain))) throw new CliError(`${prefix} of type '${typeName(type, items)}'`);
  }
}
