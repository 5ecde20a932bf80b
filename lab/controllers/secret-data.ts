/** The data of the Secret that an ExternalSecret makes of its entries. */
import type { KubeObject } from "../kubernetes";
import { at, isMap, type JsonMap, listAt, mapAt, textAt } from "../kubernetes/objects";
import type { Session } from "./secret-store-client";

/** A part of an ExternalSecret that the lab does not model. */
export class NotModelled extends Error {}

/** An entry that the deletion policy decides about. */
export class NoEntry extends Error {}

const asText = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));

function decoded(value: string, reference: JsonMap): string {
  const strategy = textAt(reference, "decodingStrategy") ?? "None";
  if (strategy === "None") return value;
  if (strategy === "Base64") return Buffer.from(value, "base64").toString("utf8");
  throw new NotModelled(`decodingStrategy ${strategy}`);
}

/** A property by its name, or by a path with dots. */
function propertyOf(entry: JsonMap, property: string): unknown {
  return entry[property] ?? at(entry, ...property.split("."));
}

async function entryOf(session: Session, reference: JsonMap): Promise<JsonMap> {
  const key = textAt(reference, "key") ?? "";
  const found = await session.read(key, textAt(reference, "version"));
  if (found === undefined) throw new NoEntry(`Secret does not exist`);
  return found;
}

/** @throws NoEntry, NotModelled, or what the store says */
export async function readData(external: KubeObject, session: Session): Promise<Record<string, string>> {
  const data: Record<string, string> = {};
  for (const [i, source] of listAt(external, "spec", "dataFrom").entries()) {
    const unknown = Object.keys(source).find((key) => key !== "extract");
    if (unknown !== undefined) throw new NotModelled(`dataFrom.${unknown}`);
    const reference = mapAt(source, "extract");
    try {
      const entry = await entryOf(session, reference);
      const property = textAt(reference, "property");
      const part = property === undefined ? entry : propertyOf(entry, property);
      if (!isMap(part)) throw new Error(`property "${property}" is no map`);
      for (const [name, value] of Object.entries(part)) data[name] = decoded(asText(value), reference);
    } catch (cause) {
      throw explained(cause, `error processing spec.dataFrom[${i}].extract (key: ${textAt(reference, "key")})`);
    }
  }
  for (const [i, wanted] of listAt(external, "spec", "data").entries()) {
    const reference = mapAt(wanted, "remoteRef");
    try {
      const entry = await entryOf(session, reference);
      const property = textAt(reference, "property");
      const value = property === undefined || property === "" ? entry : propertyOf(entry, property);
      if (value === undefined) throw new Error(`cannot find secret data for key: "${property}"`);
      data[textAt(wanted, "secretKey") ?? ""] = decoded(asText(value), reference);
    } catch (cause) {
      throw explained(cause, `error processing spec.data[${i}] (key: ${textAt(reference, "key")})`);
    }
  }
  return data;
}

function explained(cause: unknown, where: string): Error {
  const message = `${where}, err: ${cause instanceof Error ? cause.message : String(cause)}`;
  return cause instanceof NoEntry ? new NoEntry(message) : cause instanceof NotModelled ? cause : new Error(message);
}

const FUNCTIONS = new Map<string, (value: string) => string>([
  ["b64enc", (value) => Buffer.from(value).toString("base64")],
  ["b64dec", (value) => Buffer.from(value, "base64").toString("utf8")],
  ["toString", (value) => value],
  ["trim", (value) => value.trim()],
  ["upper", (value) => value.toUpperCase()],
  ["lower", (value) => value.toLowerCase()],
  ["quote", (value) => JSON.stringify(value)],
]);

/** `{{ .key }}` and `{{ .key | b64enc }}`. @throws NotModelled for anything else */
function rendered(template: string, data: Readonly<Record<string, string>>): string {
  return template.replace(/\{\{-?\s*(.*?)\s*-?\}\}/gs, (_, expression: string) => {
    const [first = "", ...pipes] = expression.split("|").map((part) => part.trim());
    const name = /^\.([\w-]+)$/.exec(first)?.[1] ?? /^index \. "([^"]+)"$/.exec(first)?.[1];
    if (name === undefined) throw new NotModelled(`template expression {{ ${expression} }}`);
    if (data[name] === undefined) throw new Error(`could not apply template: map has no entry for key "${name}"`);
    return pipes.reduce((value, pipe) => {
      const apply = FUNCTIONS.get(pipe);
      if (apply === undefined) throw new NotModelled(`template function ${pipe}`);
      return apply(value);
    }, data[name]);
  });
}

/** The Secret's content: the data as it is, or through the target's template. */
export function targetContent(external: KubeObject, data: Readonly<Record<string, string>>): { data: Record<string, string>; type: string; metadata: JsonMap } {
  const template = mapAt(external, "spec", "target", "template");
  if (template["templateFrom"] !== undefined) throw new NotModelled("target.template.templateFrom");
  const texts = Object.entries(mapAt(template, "data")).map(([key, value]) => [key, rendered(String(value), data)] as const);
  const merged = textAt(template, "mergePolicy") === "Merge" || texts.length === 0;
  return { data: { ...(merged ? data : {}), ...Object.fromEntries(texts) }, type: textAt(template, "type") ?? "Opaque", metadata: mapAt(template, "metadata") };
}
