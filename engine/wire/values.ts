import { SIGNATURE, SIGNATURE_KEY, UNKNOWN, UNKNOWNS } from "../../common/signatures";
import { urnName, urnType } from "./urn";

/**
 * Property values, in the form in which they travel (google.protobuf.Struct as plain JSON): special values are objects with
 * a signature key, unknown values are sentinel strings. The engine keeps this one form everywhere, so that nothing is lost
 * between the wire and the state. Source: engine-contract, section D.
 */
export type Value = null | boolean | number | string | Value[] | PropertyMap;
export interface PropertyMap {
  [key: string]: Value;
}

export const isObject = (value: Value | undefined): value is PropertyMap => typeof value === "object" && value !== null && !Array.isArray(value);
export const isUnknown = (value: Value | undefined): boolean => typeof value === "string" && UNKNOWNS.has(value);

/** Which special value an object is, or undefined for a plain one. */
export function signatureOf(value: Value | undefined): string | undefined {
  if (!isObject(value)) return undefined;
  const signature = value[SIGNATURE_KEY];
  return typeof signature === "string" ? signature : undefined;
}

export const isSecret = (value: Value | undefined): value is PropertyMap => signatureOf(value) === SIGNATURE.secret;
export const makeSecret = (value: Value): Value => (isSecret(value) ? value : { [SIGNATURE_KEY]: SIGNATURE.secret, value });
export const secretValue = (value: PropertyMap): Value => value["value"] ?? null;

/** Rebuilds a value bottom-up; `change` sees each node after its children. A part in which nothing changes stays the same object. */
export function mapValue(value: Value, change: (value: Value) => Value): Value {
  if (Array.isArray(value)) {
    const items = value.map((item) => mapValue(item, change));
    return change(items.every((item, at) => item === value[at]) ? value : items);
  }
  if (isObject(value)) return change(mapProperties(value, (item) => mapValue(item, change)));
  return change(value);
}

export function mapProperties(map: PropertyMap, change: (value: Value, key: string) => Value): PropertyMap {
  const entries = Object.entries(map).map(([key, value]): [string, Value] => [key, change(value, key)]);
  return entries.every(([key, value]) => value === map[key]) ? map : Object.fromEntries(entries);
}

export function someValue(value: Value, test: (value: Value) => boolean): boolean {
  if (test(value)) return true;
  if (Array.isArray(value)) return value.some((item) => someValue(item, test));
  return isObject(value) && Object.values(value).some((item) => someValue(item, test));
}

export const containsUnknowns = (value: Value): boolean => someValue(value, isUnknown);
export const containsSecrets = (value: Value): boolean => someValue(value, isSecret);

/** Of the many doubles that are no number, the one that the CLI stores for a program of Node. */
const NAN_BITS = "7fffffffffffffff";

/** A number as states and events have it: JSON would make null of one that is not finite. */
export function storedNumber(value: number): Value {
  if (Number.isFinite(value)) return value;
  const bits = Buffer.alloc(8);
  bits.writeDoubleBE(value);
  return { [SIGNATURE_KEY]: SIGNATURE.number, value: Number.isNaN(value) ? NAN_BITS : bits.toString("hex") };
}

/** The number that a map in a state or an event stands for. */
export function numberOf(value: Value): number | undefined {
  if (!isObject(value) || signatureOf(value) !== SIGNATURE.number) return undefined;
  const { value: bits } = value;
  return typeof bits === "string" && /^[0-9a-f]{16}$/i.test(bits) ? Buffer.from(bits, "hex").readDoubleBE(0) : undefined;
}

const unwrapOne = (value: Value): Value => (isSecret(value) ? secretValue(value) : value);

/** JSON for people: a number that JSON has no form for is called by its name. */
export function readableJson(value: Value): string {
  const text = JSON.stringify(value, (_key, one: Value) => {
    const number = typeof one === "number" ? one : numberOf(one);
    return number === undefined || Number.isFinite(number) ? one : `\u0000number:${number}`;
  });
  return text.replace(/"\\u0000number:(-?\w+)"/g, "$1");
}

/** A value as JSON for a message: a secret is `[secret]`, a missing value is null. */
export const shownText = (value: Value | undefined): string => readableJson(mapValue(value ?? null, (one) => (isSecret(one) ? "[secret]" : one)));

/** The value without its secret markers. */
export const withoutSecrets = <T extends Value>(value: T): T => mapValue(value, unwrapOne) as T;

/** Output values (component arguments) as plain, unknown or secret ones, which is all that a custom resource's inputs hold. */
export function flattenOutputs(map: PropertyMap): PropertyMap {
  return mapValue(map, (value) => {
    if (signatureOf(value) !== SIGNATURE.output || !isObject(value)) return value;
    const inner = value["value"] ?? UNKNOWN;
    return value["secret"] === true ? makeSecret(inner) : inner;
  }) as PropertyMap;
}

/** Secret and unknown values as output values, which is the form in which transforms, components of plugins and methods get them. */
export function withOutputValues(map: PropertyMap): PropertyMap {
  return mapValue(map, (value) => {
    if (isUnknown(value)) return { [SIGNATURE_KEY]: SIGNATURE.output };
    if (!isSecret(value)) return value;
    const inner = secretValue(value);
    if (isOutput(inner)) return { ...inner, secret: true };
    return { [SIGNATURE_KEY]: SIGNATURE.output, value: inner, secret: true };
  }) as PropertyMap;
}

const isOutput = (value: Value | undefined): value is PropertyMap => signatureOf(value) === SIGNATURE.output;

/** The URNs that the output values in a value depend on, each once. */
export function outputDependencies(value: Value): string[] {
  const found = new Set<string>();
  someValue(value, (item) => {
    if (isOutput(item) && Array.isArray(item["dependencies"])) for (const urn of item["dependencies"]) if (typeof urn === "string") found.add(urn);
    return false;
  });
  return [...found];
}

/** Wraps each property in an output value that lists its dependencies. A value that lists them already stays as it is. */
export function withOutputDependencies(map: PropertyMap, dependencies: Readonly<Record<string, readonly string[]>>): PropertyMap {
  return mapProperties(map, (value, key) => {
    const wanted = dependencies[key] ?? [];
    const known = outputDependencies(value);
    if (wanted.every((urn) => known.includes(urn))) return value;
    const output = isOutput(value) ? value : { [SIGNATURE_KEY]: SIGNATURE.output, value };
    const own = Array.isArray(output["dependencies"]) ? output["dependencies"] : [];
    return { ...output, dependencies: [...new Set([...own, ...wanted])] };
  });
}

/** Resource references as their id (custom) or URN, for providers that do not accept references. */
export function flattenResources(map: PropertyMap): PropertyMap {
  return mapValue(map, (value) => {
    if (signatureOf(value) !== SIGNATURE.resource || !isObject(value)) return value;
    const { id } = value;
    if (typeof id !== "string") return value["urn"] ?? null;
    return id === "" ? UNKNOWN : id;
  }) as PropertyMap;
}

/**
 * Marks in a provider's answer what was secret in the request, for providers that do not keep secrets: by key, recursively
 * in objects; an array with a secret element becomes secret as a whole.
 */
export function annotateSecrets(answer: PropertyMap, request: PropertyMap): PropertyMap {
  const annotate = (value: Value, asked: Value | undefined): Value => {
    if (asked === undefined || isSecret(value)) return value;
    if (isSecret(asked)) return makeSecret(value);
    if (Array.isArray(asked)) return containsSecrets(asked) ? makeSecret(value) : value;
    if (isObject(asked) && signatureOf(asked) === undefined && isObject(value) && signatureOf(value) === undefined) return annotateSecrets(value, asked);
    return value;
  };
  return mapProperties(answer, (value, key) => annotate(value, request[key]));
}

/** Marks outputs that must be secret: those named, and those whose input of the same name is secret. */
export function markSecretOutputs(outputs: PropertyMap, inputs: PropertyMap, names: readonly string[]): PropertyMap {
  return mapProperties(outputs, (value, key) => (names.includes(key) || isSecret(inputs[key]) ? makeSecret(value) : value));
}

/** Without the properties that hold unknowns, for clients that do not support partial values. */
export function withoutUnknowns(map: PropertyMap): PropertyMap {
  return Object.fromEntries(Object.entries(map).filter(([, value]) => !containsUnknowns(value)));
}

export const isAssetOrArchive = (value: Value): boolean => signatureOf(value) === SIGNATURE.asset || signatureOf(value) === SIGNATURE.archive;
const isReference = (value: Value): boolean => signatureOf(value) === SIGNATURE.resource;

/** Reduces assets and archives to their hashes: the form in which a provider gets properties of an existing resource. */
export function withoutContents(map: PropertyMap): PropertyMap {
  if (!someValue(map, isAssetOrArchive)) return map;
  return mapValue(map, (value) => {
    const signature = signatureOf(value);
    if (!isObject(value) || signature === undefined || !isAssetOrArchive(value)) return value;
    return { [SIGNATURE_KEY]: signature, hash: value["hash"] ?? "" };
  }) as PropertyMap;
}

/**
 * Assets that an answer names by their hash alone, with the contents that the request had under it. Archives come back as
 * empty ones with that hash, as the CLI has them.
 */
export function withContents(answer: PropertyMap, request: PropertyMap): PropertyMap {
  const known = new Map<string, Value>();
  someValue(request, (value) => {
    if (isObject(value) && signatureOf(value) === SIGNATURE.asset) known.set(String(value["hash"]), value);
    return false;
  });
  if (!someValue(answer, isAssetOrArchive)) return answer;
  const bare = ({ text, path, uri, assets }: PropertyMap): boolean => [text, path, uri, assets].every((content) => content === undefined);
  return mapValue(answer, (value) => {
    if (!isObject(value) || !isAssetOrArchive(value) || !bare(value)) return value;
    return signatureOf(value) === SIGNATURE.archive ? { ...value, assets: {} } : (known.get(String(value["hash"])) ?? value);
  }) as PropertyMap;
}

/** Resource references with the name and type that providers get beside the URN. */
export function withNamedResources(map: PropertyMap): PropertyMap {
  if (!someValue(map, isReference)) return map;
  return mapValue(map, (value) => {
    if (signatureOf(value) !== SIGNATURE.resource || !isObject(value) || typeof value["urn"] !== "string") return value;
    const { packageVersion, ...rest } = value;
    // An unknown id is an empty one on the wire.
    const known = isUnknown(rest["id"]) ? { ...rest, id: "" } : rest;
    const named = { ...known, name: urnName(value["urn"]), type: urnType(value["urn"]) };
    return packageVersion === undefined || packageVersion === "" ? named : { ...named, packageVersion };
  }) as PropertyMap;
}

/** Removes unknown values at any depth: outside previews a provider gets none. */
export function droppingUnknowns(map: PropertyMap): PropertyMap {
  return mapValue(map, (value) => {
    if (Array.isArray(value)) return value.filter((item) => !isUnknown(item));
    return isObject(value) ? Object.fromEntries(Object.entries(value).filter(([, item]) => !isUnknown(item))) : value;
  }) as PropertyMap;
}

/** Deep equality; the order of keys does not matter. What is no number (NaN) equals itself: else it would be a change each time. */
export function sameValue(a: Value | undefined, b: Value | undefined): boolean {
  if (a === b || (Number.isNaN(a) && Number.isNaN(b))) return true;
  if (a === undefined || b === undefined) return false;
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((item, i) => sameValue(item, b[i]));
  if (!isObject(a) || !isObject(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && sameValue(a[key], b[key]));
}
