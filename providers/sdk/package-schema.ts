/** What GetSchema answers: Pulumi's package schema, made of what the resource definitions know of their inputs. */
import { z } from "zod";
import type { ProviderDefinition } from "./resource";
import type { Fields, Property } from "./schema";

type Spec = Record<string, unknown>;

/** A resource as a package schema describes it; types of its blocks by their own tokens. */
export interface ResourceSpec {
  resource: Spec;
  types: Record<string, Spec>;
}

const capital = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}`;

/** `proxmoxve:index/vmLegacy:VmLegacy` → names of its blocks' types, such as `proxmoxve:index/VmLegacyDisks:VmLegacyDisks`. */
class Types {
  readonly all: Record<string, Spec> = {};

  constructor(private readonly token: string) {}

  of(property: Property, path: string): Spec {
    switch (property.kind) {
      case "map":
        return { type: "object", additionalProperties: { type: "string" } };
      case "list":
      case "set":
        return { type: "array", items: this.of(property.of, path) };
      case "block": {
        const [pkg = "", module = "", name = ""] = this.token.split(":");
        const typeName = `${name}${path}`;
        const token = `${pkg}:${module.split("/").slice(0, -1).join("/") || module}/${typeName}:${typeName}`;
        this.all[token] = { type: "object", ...this.fields(property.fields, path) };
        return { $ref: `#/types/${token}` };
      }
      default:
        return { type: property.kind };
    }
  }

  fields(fields: Fields, path: string): { properties: Record<string, Spec>; required: string[] } {
    const properties = Object.entries(fields).map(([name, property]): [string, Spec] => [name, this.of(property, `${path}${capital(name)}`)]);
    const required = Object.entries(fields).flatMap(([name, property]) => (property.required === true ? [name] : []));
    return { properties: Object.fromEntries(properties), required };
  }
}

/** The schema of a bridged resource. @param outputs names of outputs that are no inputs; their types are not given */
export function specOfFields(token: string, fields: Fields, outputs: readonly string[]): ResourceSpec {
  const types = new Types(token);
  const { properties, required } = types.fields(fields, "");
  const further = outputs.filter((name) => !(name in properties)).map((name) => [name, { $ref: "pulumi.json#/Any" }]);
  return {
    resource: { properties: { ...properties, ...Object.fromEntries(further) }, inputProperties: properties, requiredInputs: required },
    types: types.all,
  };
}

const ANY: Spec = { $ref: "pulumi.json#/Any" };

/** A JSON schema's type as a type of a package schema. A structure becomes any value. */
function asProperty(schema: Spec): Spec {
  const { type, items } = schema;
  if (type === "integer" || type === "number" || type === "string" || type === "boolean") return { type };
  if (type === "array") return { type: "array", items: typeof items === "object" && items !== null ? asProperty(items as Spec) : ANY };
  return ANY;
}

/** The schema of a resource whose inputs are a zod schema. @param outputs names of outputs that are no inputs; all are strings */
export function specOfZod(inputs: z.ZodType, outputs: readonly string[]): ResourceSpec {
  const { properties = {}, required = [] } = z.toJSONSchema(inputs, { unrepresentable: "any", io: "input" });
  const inputProperties = Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, asProperty(schema as Spec)]));
  const told = Object.fromEntries(outputs.map((name) => [name, { type: "string" }]));
  return { resource: { properties: { ...inputProperties, ...told }, inputProperties, requiredInputs: required }, types: {} };
}

/** The package schema as JSON. undefined: the provider does not list its types. */
export function packageSchema<P>({ name, version, tokens, modules, resource }: ProviderDefinition<P>): string | undefined {
  if (tokens === undefined) return undefined;
  const resources: Record<string, Spec> = {};
  const types: Record<string, Spec> = {};
  for (const token of tokens) {
    const spec = resource(token)?.spec?.();
    if (spec === undefined) continue;
    resources[token] = spec.resource;
    Object.assign(types, spec.types);
  }
  return JSON.stringify({ name, version, resources, types, ...(modules ?? { meta: { moduleFormat: "(.*)(?:/[^/]*)" } }) });
}
