/** Names of objects whose program gives none. */
import { randomBytes } from "node:crypto";
import type { CheckCall } from "../../sdk/resource";
import { isValues, type Value, type Values } from "../../sdk/values";

const AUTONAMED = "pulumi.com/autonamed";

const at = (values: Value | undefined, key: string): Value | undefined => (isValues(values) ? values[key] : undefined);

export const isAutonamed = (inputs: Values): boolean => at(at(inputs["metadata"], "annotations"), AUTONAMED) === "true";

export const nameOf = (inputs: Values): Value | undefined => {
  const name = at(inputs["metadata"], "name");
  return name === "" || name === null ? undefined : name;
};

/** The inputs with the previous name or a new one, and the annotation that says that the name was generated. */
export function named<P>({ news, olds, name, randomSeed }: CheckCall<P>): Values {
  const metadata = news["metadata"] ?? {};
  // Unknown metadata may contain a name.
  if (!isValues(metadata) || nameOf(news) !== undefined) return news;
  const kept = olds !== undefined && isAutonamed(olds) ? nameOf(olds) : undefined;
  const seed = randomSeed.length > 0 ? Buffer.from(randomSeed) : randomBytes(4);
  const annotations = metadata["annotations"] ?? {};
  return {
    ...news,
    metadata: {
      ...metadata,
      name: kept ?? `${name}-${seed.toString("hex").slice(0, 8)}`,
      annotations: isValues(annotations) ? { ...annotations, [AUTONAMED]: "true" } : annotations,
    },
  };
}

/** Whether the API is to choose the name. Server-side apply cannot do that: it needs a name. */
export function asksForGeneratedName(news: Values): boolean {
  const generateName = at(news["metadata"], "generateName");
  return nameOf(news) === undefined && generateName !== undefined && generateName !== null && generateName !== "";
}
