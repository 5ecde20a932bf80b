/** The lines of TypeScript that a program needs for resources that were imported. */
import type { ResourceState } from "../snapshot/types";
import { urnName } from "../wire/urn";
import { isObject, isSecret, readableJson, type Value } from "../wire/values";

const isName = (text: string): boolean => /^[A-Za-z_$][\w$]*$/.test(text);
const camel = (text: string): string => text.replace(/[^A-Za-z0-9]+(.)?/g, (_all, next: string | undefined) => next?.toUpperCase() ?? "").replace(/^\d/, "_$&");
const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);

/** `random:index/randomString:RandomString` is `random.RandomString`; `kubernetes:core/v1:Namespace` is `kubernetes.core.v1.Namespace`. */
function className(type: string): string {
  const [pkg = "", module = "", name = ""] = type.split(":");
  const parts = module.split("/").filter((part) => part !== "index" && part !== "" && part !== lowerFirst(name));
  return [camel(pkg), ...parts.map(camel), name].join(".");
}

const packageName = (type: string): string => type.split(":")[0] ?? "";

/** JSON with bare keys. A secret is never written out: it comes from the settings. */
function literal(value: Value, indent: string, key: string): string {
  if (isSecret(value)) return `config.requireSecret(${JSON.stringify(key)})`;
  const inner = `${indent}    `;
  if (Array.isArray(value)) return value.length === 0 ? "[]" : `[\n${value.map((item) => `${inner}${literal(item, inner, key)},\n`).join("")}${indent}]`;
  if (!isObject(value)) return readableJson(value);
  const entries = Object.entries(value).filter(([name]) => !name.startsWith("__"));
  if (entries.length === 0) return "{}";
  return `{\n${entries.map(([name, item]) => `${inner}${isName(name) ? name : JSON.stringify(name)}: ${literal(item, inner, camel(`${key}-${name}`))},\n`).join("")}${indent}}`;
}

/** @param resources in the state's order: a parent comes before what stands below it */
export function importedCode(resources: readonly ResourceState[]): string {
  const custom = resources.filter((r) => r.custom && !r.type.startsWith("pulumi:providers:"));
  const variables = new Map(custom.map((r) => [r.urn, camel(urnName(r.urn))]));
  const blocks = custom.map((r) => {
    const parent = r.parent === undefined ? undefined : variables.get(r.parent);
    const options = [...(parent === undefined ? [] : [`    parent: ${parent},\n`]), ...(r.protect ? ["    protect: true,\n"] : [])].join("");
    const name = urnName(r.urn);
    return `const ${variables.get(r.urn)} = new ${className(r.type)}(${JSON.stringify(name)}, ${literal(r.inputs, "", camel(name))}${options === "" ? "" : `, {\n${options}}`});`;
  });
  const packages = [...new Set(custom.map((r) => packageName(r.type)))];
  const needsConfig = blocks.some((block) => block.includes("config.requireSecret("));
  return [
    'import * as pulumi from "@pulumi/pulumi";',
    ...packages.map((name) => `import * as ${camel(name)} from "@pulumi/${name}";`),
    "",
    ...(needsConfig ? ["const config = new pulumi.Config();", ""] : []),
    ...blocks,
    "",
  ].join("\n");
}
