/** `kubernetes:yaml:decode`: the objects of a YAML or JSON text, which the SDK's `ConfigFile` and `ConfigGroup` ask for and register. */
import { z } from "zod";
import { HomelabError } from "../../../common/errors";
import { kubernetesDocuments } from "../../../common/yaml";
import { parseInputs } from "../../sdk/inputs";
import { isValues, type JsonObject, type Values, withoutNulls } from "../../sdk/values";
import type { KubernetesClient } from "../client";
import { map, text } from "../object/json";

const argsSchema = z.strictObject({
  text: z.string(),
  /** The namespace of objects that name none, if their kind is namespaced. */
  defaultNamespace: z.string().optional(),
});

/** @throws HomelabError with the line of what is no YAML, or the document that is no object */
function documents(content: string): JsonObject[] {
  return kubernetesDocuments(content).flatMap((document, i) => {
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
  // `metadata: null` has no place for a namespace.
  if (object["metadata"] === null) return object;
  const metadata = map(object["metadata"]);
  if (namespace === undefined || namespace === "" || text(metadata["namespace"]) !== undefined) return object;
  const namespaced = await client.isNamespaced(String(object["apiVersion"]), String(object["kind"]), signal).catch((thrown: unknown) => {
    // The kind's CRD may be in the same text.
    if (thrown instanceof HomelabError && thrown.code === "E_NO_KIND") return true;
    throw thrown;
  });
  return namespaced ? { ...object, metadata: { ...metadata, namespace } } : object;
}

/** @returns `result`: the objects in their order, without keys that are null; a `List` is one of them, whose items the SDK takes out */
export async function decodeYaml(client: KubernetesClient, args: JsonObject, signal: AbortSignal): Promise<Values> {
  const { text: content, defaultNamespace } = parseInputs(argsSchema, args);
  const objects = documents(content).filter(isObject);
  const placed = await Promise.all(objects.map((object) => inNamespace(client, object, defaultNamespace, signal)));
  return { result: placed.map(withoutNulls) };
}
