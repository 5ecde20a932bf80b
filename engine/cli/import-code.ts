/** The lines of TypeScript that a program needs for resources that were imported. */
import * as fs from "node:fs";
import { createRequire } from "node:module";
import * as path from "node:path";
import { SIGNATURE } from "../../common/signatures";
import type { ResourceState } from "../snapshot/types";
import { isProviderType, STACK_TYPE, urnName, urnType } from "../wire/urn";
import { isObject, isSecret, type PropertyMap, readableJson, secretValue, signatureOf, type Value } from "../wire/values";

/** Words that no variable can be called, and names that a module of Node or TypeScript has already. */
const RESERVED =
  "arguments as async await break case catch class config const continue debugger default delete do else enum eval export exports extends false finally for from function get if implements import in instanceof interface let module new null of package private protected Promise public pulumi require return set static super switch this throw true try type typeof undefined var void while with yield Object".split(
    " ",
  );
/** What a bridged provider notes among the inputs for itself. Other names with two underscores are somebody's own. */
const NOTES = new Set(["__defaults", "__meta", "__pulumi_raw_state_delta", "__internal"]);

const isName = (text: string): boolean => /^[A-Za-z_$][\w$]*$/.test(text) && text !== "__proto__";
const camel = (text: string): string => text.replace(/[^A-Za-z0-9]+(.)?/g, (_all, next: string | undefined) => next?.toUpperCase() ?? "").replace(/^\d/, "_$&");
const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);
const quoted = (text: string): string => JSON.stringify(text);
const packageName = (type: string): string => (isProviderType(type) ? (type.split(":").at(-1) ?? "") : (type.split(":")[0] ?? ""));

/** Gives out names, each once. */
class Names {
  readonly #taken: Set<string>;

  constructor(taken: readonly string[]) {
    this.#taken = new Set(taken);
  }

  one(wanted: string, otherwise: string): string {
    const base = wanted === "" ? otherwise : wanted;
    let name = base;
    for (let at = 2; this.#taken.has(name); at++) name = `${base}${at}`;
    this.#taken.add(name);
    return name;
  }
}

/** The npm packages of the program's folder that say which package of Pulumi they are. */
function sdkPackages(programDir: string): Map<string, { name: string; folder: string }> {
  const found = new Map<string, { name: string; folder: string }>();
  const read = (file: string): Record<string, unknown> => {
    try {
      return JSON.parse(fs.readFileSync(file, "utf8"));
    } catch {
      // A program without it, or a dependency that is not installed: then the usual name is assumed.
      return {};
    }
  };
  const own = read(path.join(programDir, "package.json"));
  const { resolve } = createRequire(path.join(programDir, "package.json"));
  const listed = Object.keys({ ...(own["dependencies"] as object | undefined), ...(own["devDependencies"] as object | undefined) });
  const usual = ["@pulumi/kubernetes", "@pulumi/vault", "@pulumi/command", "@muhlba91/pulumi-proxmoxve"];
  for (const name of new Set([...listed, ...usual])) {
    const file = resolve
      .paths(name)
      ?.map((place) => path.join(place, name, "package.json"))
      .find((one) => fs.existsSync(one));
    if (file === undefined) continue;
    const { pulumi } = read(file) as { pulumi?: { name?: unknown } };
    if (typeof pulumi?.name === "string" && !found.has(pulumi.name)) found.set(pulumi.name, { name, folder: path.dirname(file) });
  }
  return found;
}

class Writer {
  readonly #sdks: ReturnType<typeof sdkPackages>;
  readonly #packages: ReadonlyMap<string, string>;
  readonly #names: Names;
  readonly #keys = new Names([]);
  readonly #variables = new Map<string, string>();
  readonly #foreign = new Map<string, string>();
  #needsConfig = false;

  constructor(
    private readonly resources: readonly ResourceState[],
    programDir: string,
  ) {
    this.#sdks = sdkPackages(programDir);
    const packages = new Names(RESERVED);
    this.#packages = new Map(
      [...new Set(resources.filter((r) => r.custom).map((r) => packageName(r.type)))].map((name) => [name, packages.one(camel(name), "sdk")]),
    );
    this.#names = new Names([...RESERVED, ...this.#packages.values()]);
    for (const { urn } of resources) this.#variables.set(urn, this.#names.one(camel(urnName(urn)), "resource"));
  }

  /** The variable of a resource, which may be one that the program has already. */
  #variable(urn: string): string {
    const own = this.#variables.get(urn) ?? this.#foreign.get(urn);
    if (own !== undefined) return own;
    const name = this.#names.one(camel(urnName(urn)), "resource");
    this.#foreign.set(urn, name);
    return name;
  }

  /** `random:index/randomString:RandomString` is `random.RandomString`; `kubernetes:rbac.authorization.k8s.io/v1:Role` is `kubernetes.rbac.v1.Role`. */
  #className(type: string): string {
    const pkg = this.#packages.get(packageName(type)) ?? "";
    if (isProviderType(type)) return `${pkg}.Provider`;
    const [, module = "", name = ""] = type.split(":");
    const parts = module.split("/").filter((part) => part !== "index" && part !== "" && part !== lowerFirst(name));
    if (packageName(type) !== "kubernetes") return [pkg, ...parts.map(camel), name].join(".");
    // The SDK's folders are called by the group's first label.
    const folders = parts.map((part) => part.split(".")[0] ?? "");
    const { folder } = this.#sdks.get("kubernetes") ?? {};
    const group = parts[0] ?? "";
    const isOwn =
      (!group.includes(".") || group === "helm.sh" || group.endsWith(".k8s.io")) &&
      (folder === undefined || fs.existsSync(path.join(folder, ...folders, `${lowerFirst(name)}.js`)));
    return isOwn ? [pkg, ...folders, name].join(".") : `${pkg}.apiextensions.CustomResource`;
  }

  #asset(value: PropertyMap): string {
    const kind = signatureOf(value) === SIGNATURE.asset ? "Asset" : "Archive";
    for (const [field, of] of Object.entries({ text: "String", path: "File", uri: "Remote" })) {
      const given = value[field];
      if (typeof given === "string" && (field !== "text" || kind === "Asset")) return `new pulumi.asset.${of}${kind}(${quoted(given)})`;
    }
    return `undefined as any /* a file that is not in the state: put a pulumi.asset.File${kind} here */`;
  }

  /** JSON with bare keys. A secret is never written out: it comes from the settings. */
  #literal(value: Value, indent: string, key: string): string {
    if (isSecret(value)) {
      this.#needsConfig = true;
      return `config.${typeof secretValue(value) === "string" ? "requireSecret" : "requireSecretObject"}(${quoted(this.#keys.one(key, "secret"))})`;
    }
    const inner = `${indent}    `;
    if (Array.isArray(value)) {
      if (value.length === 0) return "[]";
      return `[\n${value.map((item, at) => `${inner}${this.#literal(item, inner, value.length === 1 ? key : `${key}${at}`)},\n`).join("")}${indent}]`;
    }
    if (!isObject(value)) return readableJson(value);
    const signature = signatureOf(value);
    if (signature === SIGNATURE.asset || signature === SIGNATURE.archive) return this.#asset(value);
    if (signature === SIGNATURE.resource && typeof value["urn"] === "string") return this.#variable(value["urn"]);
    const entries = Object.entries(value).filter(([name]) => !NOTES.has(name));
    if (entries.length === 0) return "{}";
    const label = (name: string): string => (isName(name) ? name : name === "__proto__" ? '["__proto__"]' : quoted(name));
    return `{\n${entries.map(([name, item]) => `${inner}${label(name)}: ${this.#literal(item, inner, camel(`${key}-${name}`))},\n`).join("")}${indent}}`;
  }

  /** Parent and provider belong to the resource's URN and state: without them the next update would make another resource. */
  #options(r: ResourceState): string {
    const providerUrn = r.custom ? r.provider?.replace(/::[^:]*$/, "") : undefined;
    const isExplicit = providerUrn !== undefined && providerUrn !== "" && !/^default(_|$)/.test(urnName(providerUrn));
    return [
      ...(r.parent === undefined || urnType(r.parent) === STACK_TYPE ? [] : [`    parent: ${this.#variable(r.parent)},\n`]),
      ...(isExplicit ? [`    provider: ${this.#variable(providerUrn)},\n`] : []),
      ...(r.protect ? ["    protect: true,\n"] : []),
    ].join("");
  }

  #block(r: ResourceState): string {
    const name = urnName(r.urn);
    const made = r.custom ? `new ${this.#className(r.type)}(` : `new pulumi.ComponentResource(${quoted(r.type)}, `;
    const isProvider = isProviderType(r.type);
    const inputs = isProvider ? Object.fromEntries(Object.entries(r.inputs).filter(([key]) => key !== "version" && key !== "pluginDownloadURL")) : r.inputs;
    const options = this.#options(r);
    return `const ${this.#variable(r.urn)} = ${made}${quoted(name)}, ${this.#literal(inputs, "", camel(name))}${options === "" ? "" : `, {\n${options}}`});`;
  }

  text(): string {
    const blocks = this.resources.map((r) => this.#block(r));
    return [
      'import * as pulumi from "@pulumi/pulumi";',
      ...[...this.#packages].map(([name, variable]) => `import * as ${variable} from ${quoted(this.#sdks.get(name)?.name ?? `@pulumi/${name}`)};`),
      "",
      ...[...this.#foreign].map(([urn, variable]) => `// ${variable}: the program's own variable of ${urn}`),
      ...(this.#foreign.size > 0 ? [""] : []),
      ...(this.#needsConfig ? ["const config = new pulumi.Config();", ""] : []),
      ...blocks,
      "",
    ].join("\n");
  }
}

/**
 * @param resources in the state's order: a parent comes before what stands below it
 * @param programDir where the program's SDKs are installed
 */
export const importedCode = (resources: readonly ResourceState[], programDir: string): string => new Writer(resources, programDir).text();
