import * as fs from "node:fs";
import * as path from "node:path";
import { z } from "zod";
import { SettingsText } from "../config/settings-text";
import type { ProjectInfo } from "../contracts";
import { CliError, EXIT_CODE, unsupported } from "../errors";

const projectSchema = z.looseObject({
  name: z.string(),
  runtime: z.union([z.string(), z.looseObject({ name: z.string(), options: z.record(z.string(), z.union([z.string(), z.boolean(), z.number()])).optional() })]),
  main: z.string().optional(),
  backend: z.looseObject({ url: z.string().optional() }).nullish(),
  config: z.union([z.string(), z.record(z.string(), z.unknown())]).nullish(),
  stackConfigDir: z.string().optional(),
  options: z.looseObject({ refresh: z.string().optional() }).nullish(),
  plugins: z.looseObject({ providers: z.array(z.looseObject({ name: z.string(), path: z.string() })).optional() }).nullish(),
});

export interface Project extends ProjectInfo {
  /** Pulumi.yaml itself. */
  file: string;
  backendUrl: string | undefined;
  /** Folder of the stacks' settings. */
  configDir: string;
  /** Values for every stack: full key to value. */
  configDefaults: Record<string, unknown>;
  refreshAlways: boolean;
  runtime: string;
}

const NAMES = ["Pulumi.yaml", "Pulumi.yml", "Pulumi.json"];

/** The nearest project file at or above a folder. */
export function findProjectFile(from: string): string | undefined {
  for (let folder = path.resolve(from); ; folder = path.dirname(folder)) {
    const file = NAMES.map((name) => path.join(folder, name)).find((candidate) => fs.existsSync(candidate));
    if (file !== undefined) return file;
    if (folder === path.dirname(folder)) return undefined;
  }
}

/** `config:` of the project: short keys belong to the project; `{ value, default, type }` is the schema form. */
function configDefaults(name: string, config: Record<string, unknown>): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const [key, entry] of Object.entries(config)) {
    const full = key.includes(":") ? key : `${name}:${key}`;
    const schema =
      typeof entry === "object" &&
      entry !== null &&
      !Array.isArray(entry) &&
      ["value", "default", "type", "secret", "description"].some((field) => field in entry);
    const value = schema ? ((entry as Record<string, unknown>)["value"] ?? (entry as Record<string, unknown>)["default"]) : entry;
    if (value !== undefined) found[full] = value;
  }
  return found;
}

function entry(root: string, main: string | undefined): { programDir: string; entryPoint: string } {
  const target = path.resolve(root, main ?? ".");
  const stat = fs.statSync(target, { throwIfNoEntry: false });
  if (stat?.isFile()) return { programDir: path.dirname(target), entryPoint: path.basename(target) };
  return { programDir: target, entryPoint: "." };
}

/** @throws CliError where there is no project, or it cannot be read */
export function loadProject(from: string): Project {
  const file = findProjectFile(from);
  if (file === undefined) {
    throw new CliError(
      `could not detect current project: no Pulumi.yaml project file found (searching upwards from ${from}). If you have not created a project yet, use \`pulumi new\` to do so`,
    );
  }
  const parsed = projectSchema.safeParse(new SettingsText(fs.readFileSync(file, "utf8"), file).value);
  if (!parsed.success) throw new CliError(`${file} is not a project file: ${z.prettifyError(parsed.error)}`);
  const { name, runtime, main, backend, config, stackConfigDir, options, plugins } = parsed.data;
  const root = path.dirname(file);
  const runtimeOptions = typeof runtime === "string" ? {} : (runtime.options ?? {});
  return {
    file,
    name,
    root,
    ...entry(root, main),
    runtime: typeof runtime === "string" ? runtime : runtime.name,
    runtimeOptions: Object.fromEntries(Object.entries(runtimeOptions).map(([key, value]) => [key, typeof value === "number" ? String(value) : value])),
    providerPaths: Object.fromEntries((plugins?.providers ?? []).map((provider) => [provider.name, path.resolve(root, provider.path)])),
    backendUrl: backend?.url,
    configDir: path.resolve(root, stackConfigDir ?? (typeof config === "string" ? config : ".")),
    configDefaults: typeof config === "object" && config !== null ? configDefaults(name, config) : {},
    refreshAlways: options?.refresh === "always",
  };
}

/** @throws CliError for a runtime that is not Node's */
export function requireNode(project: Project): void {
  if (project.runtime !== "nodejs") throw unsupported(`runtime ${project.runtime}`);
}

/** `organization/project/stack`, `project/stack`? no: the CLI takes the short name or all three parts. */
export function parseStackName(text: string, project: string | undefined): { project: string; stack: string } {
  const parts = text.split("/");
  const [first, second, third] = parts;
  const stack = parts.at(-1) ?? "";
  if (!/^[A-Za-z0-9_.-]{1,100}$/.test(stack))
    throw new CliError(`a stack name may only contain alphanumeric, hyphens, underscores, or periods: ${text}`, EXIT_CODE.failed);
  if (parts.length > 3)
    throw new CliError(`could not parse stack reference '${text}': a stack is named <stack>, organization/<stack> or organization/<project>/<stack>`);
  if (parts.length === 3 && first !== undefined && second !== undefined && third !== undefined) {
    if (first !== "organization") throw new CliError("organization name must be 'organization'");
    return { project: second, stack };
  }
  if (parts.length === 2 && first !== "organization") throw new CliError("organization name must be 'organization'");
  if (project === undefined)
    throw new CliError(`if you're using the --stack flag outside of a project, pass the fully qualified name (organization/project/stack), not ${text}`);
  return { project, stack };
}
