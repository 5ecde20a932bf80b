/** `kubernetes:yaml:decode`: the objects of a YAML or JSON text, which the SDK's `ConfigFile` and `ConfigGroup` ask for and register. */
import { parseAllDocuments, type Tags } from "yaml";
import { z } from "zod";
import { HomelabError } from "../../../common/errors";
import { parseInputs } from "../../sdk/inputs";
import { isValues, type JsonObject, type Values } from "../../sdk/values";
import type { KubernetesClient } from "../client";
import { map, text } from "../object/json";

const argsSchema = z.strictObject({
  text: z.string(),
  /** Of objects that name none, where their kind lies in namespaces. */
  defaultNamespace: z.string().optional(),
});

/** Kubernetes reads YAML 1.1 (`yes` is true, `0755` is octal), but no times, no numbers to the base of sixty, and nothing that JSON has not. */
const NOT_KUBERNETES = new Set(["timestamp", "binary", "omap", "pairs", "set"].map((name) => `tag:yaml.org,2002:${name}`));
const SEXAGESIMAL = "TIME";

const kubernetesTags = (tags: Tags): Tags =>
  tags.filter((tag) => typeof tag === "string" || !(NOT_KUBERNETES.has(tag.tag) || ("format" in tag && tag.format === SEXAGESIMAL)));

/** @throws HomelabError with the line of what is no YAML, or the document that is no object */
function documents(content: string): JsonObject[] {
  return parseAllDocuments(content, { version: "1.1", merge: true, customTags: kubernetesTags, prettyErrors: true }).flatMap((document, i) => {
    // A warning is a tag that has no meaning here.
    const [error] = [...document.errors, ...document.warnings];
    if (error !== undefined) throw new HomelabError("E_YAML", `the YAML cannot be read: ${error.message.trimEnd()}`, { cause: error });
    const value: unknown = document.toJS();
    // A comment, or nothing at all, between two lines of dashes.
    if (value === null || value === undefined) return [];
    if (!isValues(value as Values)) throw new HomelabError("E_YAML", `document ${i + 1} of the YAML is no object but ${JSON.stringify(value)?.slice(0, 60)}`);
    return [value as JsonObject];
  });
}

const isObject = (value: JsonObject): boolean => text(value["apiVersion"]) !== undefined && text(value["kind"]) !== undefined;

async function inNamespace(client: KubernetesClient, object: JsonObject, namespace: string | undefined, signal: AbortSignal): Promise<JsonObject> {
  const metadata = map(object["metadata"]);
  if (namespace === undefined || namespace === "" || text(metadata["namespace"]) !== undefined) return object;
  const namespaced = await client.isNamespaced(String(object["apiVersion"]), String(object["kind"]), signal).catch((thrown: unknown) => {
    // Its definition may come with it.
    if (thrown instanceof HomelabError && thrown.code === "E_NO_KIND") return true;
    throw thrown;
  });
  return namespaced ? { ...object, metadata: { ...metadata, namespace } } : object;
}

/** @returns `result`: the objects in their order; a `List` is one of them, whose items the SDK takes out */
export async function decodeYaml(client: KubernetesClient, args: JsonObject, signal: AbortSignal): Promise<Values> {
  const { text: content, defaultNamespace } = parseInputs(argsSchema, args);
  const objects = documents(content).filter(isObject);
  return { result: await Promise.all(objects.map((object) => inNamespace(client, object, defaultNamespace, signal))) };
}
