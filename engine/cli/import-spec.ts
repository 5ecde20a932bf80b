/** What `pulumi import` is asked to import: from its words, or from a file (engine-contract: the CLI's import file). */
import * as fs from "node:fs";
import { z } from "zod";
import type { ImportSpec } from "../contracts";
import { CliError, EXIT_CODE, unsupported } from "../errors";
import { readProperties, type SecretsCodec } from "../snapshot/serialize";
import type { ResourceState, Snapshot } from "../snapshot/types";
import { isProviderType, makeUrn } from "../wire/urn";
import type { Value } from "../wire/values";
import type { Flags } from "./flags";
import { PLACEHOLDER } from "./import-file";

const specSchema = z.looseObject({
  type: z.string(),
  name: z.string(),
  id: z.string().optional(),
  parent: z.string().optional(),
  provider: z.string().optional(),
  version: z.string().optional(),
  pluginDownloadUrl: z.string().optional(),
  component: z.boolean().optional(),
  logicalName: z.string().optional(),
  /** Of a provider: its configuration. */
  inputs: z.record(z.string(), z.custom<Value>()).optional(),
});
const fileSchema = z.looseObject({ nameTable: z.record(z.string(), z.string()).optional(), resources: z.array(specSchema).optional() });
type ImportFile = z.infer<typeof fileSchema>;

/** Fields of the CLI's file that are refused: to ignore them would change what the import means. */
const REFUSED = ["properties", "remote", "outputs", "parameterization", "extension"];

function readFile(file: string): ImportFile {
  let raw: unknown;
  try {
    raw = JSON.parse(fs.readFileSync(file, "utf8"));
  } catch (cause) {
    throw new CliError(`could not read import file ${file}`, 1, { cause });
  }
  const parsed = fileSchema.safeParse(raw);
  if (!parsed.success) throw new CliError(`could not read import file ${file}: ${z.prettifyError(parsed.error)}`);
  if (parsed.data["providerInputs"] !== undefined) throw unsupported("`providerInputs` of an import file");
  for (const spec of parsed.data.resources ?? []) {
    const field = REFUSED.find((name) => spec[name] !== undefined && spec[name] !== false);
    if (field !== undefined) throw unsupported(`\`${field}\` of an import file (resource '${spec.name}')`);
    if (spec.inputs !== undefined && !isProviderType(spec.type)) throw unsupported(`\`inputs\` of an import file, but for providers (resource '${spec.name}')`);
    if (spec.id === PLACEHOLDER) throw new CliError(`${file}: resource '${spec.name}' of type '${spec.type}' needs its ID in place of ${PLACEHOLDER}`);
  }
  return parsed.data;
}

/** `name=URN`, or a URN alone. */
function named(text: string, fallback: string): [name: string, urn: string] {
  const [, name, urn] = /^([^=:]+)=(.+)$/.exec(text) ?? [undefined, fallback, text];
  if (name === undefined || urn === undefined || !urn.startsWith("urn:pulumi:")) throw new CliError(`expected a URN but got '${text}'`, EXIT_CODE.usage);
  return [name, urn];
}

function fromWords(flags: Flags): ImportFile {
  const [type, name, id] = flags.words;
  if (type === undefined || name === undefined || id === undefined)
    throw new CliError(
      "an inline resource must be specified if no converter or import file is used: pulumi import <type> <name> <id>, or pulumi import --file <file>",
      EXIT_CODE.usage,
    );
  const given = { parent: flags.text("parent"), provider: flags.text("provider") };
  const table = Object.entries(given).flatMap(([kind, text]) => (text === undefined ? [] : [[kind, ...named(text, kind)] as const]));
  return {
    nameTable: Object.fromEntries(table.map(([, key, urn]) => [key, urn])),
    resources: [{ type, name, id, ...Object.fromEntries(table.map(([kind, key]) => [kind, key])) }],
  };
}

export interface ImportPlan {
  imports: ImportSpec[];
  urns: string[];
}

/** @throws CliError for what is not to be found, named twice, or there already */
export function planImports(flags: Flags, names: { project: string; stack: string }, snapshot: Snapshot, codec: () => SecretsCodec): ImportPlan {
  const path = flags.text("file");
  if (path !== undefined && flags.words.length > 0)
    throw new CliError("an inline resource may not be specified in conjunction with an import file", EXIT_CODE.usage);
  const file = path === undefined ? fromWords(flags) : readFile(path);
  const urns = new Map(Object.entries(file.nameTable ?? {}));
  const held = new Map<string, ResourceState>(snapshot.resources.filter((r) => !r.delete).map((r) => [r.urn, r]));
  const plan: ImportPlan = { imports: [], urns: [] };
  const find = (name: string, what: string, of: string): string => {
    const urn = urns.get(name) ?? (name.startsWith("urn:pulumi:") ? name : undefined);
    if (urn === undefined)
      throw new CliError(`the ${what} '${name}' for resource '${of}' has no name in 'nameTable', and no earlier resource of the file is called that`);
    return urn;
  };
  for (const spec of file.resources ?? []) {
    const name = spec.logicalName ?? spec.name;
    // An empty ID on the wire is none: the resource would be created.
    if (spec.id === "" || name === "" || spec.type.split(":").length !== 3)
      throw new CliError(
        `resource '${name}' of type '${spec.type}' with the ID '${spec.id ?? ""}': an import needs a type as package:module:Type, a name and an ID`,
      );
    const isProvider = isProviderType(spec.type);
    if (!isProvider && (spec.id === undefined) !== (spec.component === true))
      throw new CliError(`resource '${name}' of type '${spec.type}' ${spec.component ? "is a component, which has no ID" : "has no ID"}`);
    const parent = spec.parent === undefined ? undefined : find(spec.parent, "parent", name);
    if (parent !== undefined && !held.has(parent) && !plan.urns.includes(parent)) throw new CliError(`unknown parent '${parent}' for resource '${name}'`);
    const urn = makeUrn(names.stack, names.project, parent, spec.type, name);
    if (held.has(urn)) throw new CliError(`resource '${urn}' already exists`);
    if (plan.urns.includes(urn)) throw new CliError(`the import file has two resources '${urn}'`);
    const providerUrn = spec.provider === undefined ? undefined : find(spec.provider, "provider", name);
    const provider = providerUrn === undefined ? undefined : held.get(providerUrn);
    // A provider of the same file is imported first.
    const made = providerUrn !== undefined && plan.urns.includes(providerUrn);
    if (providerUrn !== undefined && !made && provider?.id === undefined) throw new CliError(`unknown provider '${providerUrn}' for resource '${name}'`);
    plan.urns.push(urn);
    urns.set(spec.name, urn);
    plan.imports.push({
      type: spec.type,
      name,
      id: spec.id,
      parent,
      provider: made ? { urn: providerUrn } : provider && { urn: provider.urn, id: provider.id ?? "" },
      inputs: isProvider ? readProperties(spec.inputs ?? {}, codec()) : undefined,
      version: spec.version,
      pluginDownloadUrl: spec.pluginDownloadUrl,
      protect: flags.has("protect"),
    });
  }
  if (plan.imports.length === 0) throw new CliError(`no resources to import${path === undefined ? "" : `: ${path} has none`}`);
  return plan;
}
