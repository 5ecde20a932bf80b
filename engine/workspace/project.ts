import * as fs from "node:fs";
import * as path from "node:path";
import { z } from "zod";
import { nearest } from "../../common/nearest";
import { type Declaration, readDeclarations } from "../config/project-config";
import { SettingsText } from "../config/settings-text";
import { asText, type ConfigValue } from "../config/value-path";
import type { ProjectInfo } from "../contracts";
import { CliError, EXIT_CODE, unsupported } from "../errors";
import { nodeOptionsSchema, projectSchema } from "./project-file";

export interface Project extends ProjectInfo {
  /** Pulumi.yaml itself. */
  file: string;
  backendUrl: string | undefined;
  /** Folder of the stacks' settings. */
  configDir: string;
  /** The settings that it declares, with values for the stacks that have none. */
  declarations: Declaration[];
  refreshAlways: boolean;
  /** Undefined where the file names none. */
  runtime: string | undefined;
  /** `requiredPulumiVersion`; empty: any. */
  requiredVersion: string;
  /** Languages whose plugin the project names. */
  languagePlugins: string[];
  /** Unknown keys of the file that look misspelt, each with the key that was probably meant. The CLI ignores them. */
  misspelt: [key: string, meant: string][];
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

/** Other runtimes and tools keep keys of their own in the file, so only a key that resembles one of the CLI's is reported. */
function misspelt(keys: readonly string[]): [string, string][] {
  const known = Object.keys(projectSchema.shape);
  return keys.flatMap((key): [string, string][] => {
    const meant = known.includes(key) ? undefined : (known.find((one) => one.toLowerCase() === key.toLowerCase()) ?? nearest(key, known));
    return meant === undefined || known.includes(key) ? [] : [[key, meant]];
  });
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
  const content = new SettingsText(fs.readFileSync(file, "utf8").replace(/^\uFEFF/, ""), file).value;
  try {
    return readProject(file, content);
  } catch (thrown) {
    if (thrown instanceof CliError) throw new CliError(`${file} is not a project file: ${thrown.message}`, thrown.exitCode, { cause: thrown });
    throw thrown;
  }
}

function readProject(file: string, content: unknown): Project {
  const parsed = projectSchema.safeParse(content);
  if (!parsed.success) throw new CliError(z.prettifyError(parsed.error));
  const { name, runtime, main, backend, config, stackConfigDir, options, plugins, requiredPulumiVersion = "" } = parsed.data;
  if (typeof config === "string" && stackConfigDir)
    throw new CliError("both config and stackConfigDir name the folder of the stacks' settings; use only stackConfigDir");
  const root = path.dirname(file);
  const language = typeof runtime === "string" ? runtime : runtime?.name;
  return {
    file,
    name,
    root,
    ...entry(root, main ?? undefined),
    runtime: language,
    runtimeOptions: runtimeOptions(language, typeof runtime === "string" ? {} : (runtime?.options ?? {})),
    providerPaths: (plugins?.providers ?? []).map(({ name: of, path: folder, version }) => ({ name: of, version, folder: path.resolve(root, folder) })),
    languagePlugins: (plugins?.languages ?? []).map((plugin) => plugin.name),
    backendUrl: backend?.url,
    configDir: path.resolve(root, stackConfigDir ?? (typeof config === "string" ? config : ".")),
    declarations: typeof config === "object" && config !== null ? readDeclarations(name, config) : [],
    refreshAlways: options?.refresh === "always",
    requiredVersion: requiredPulumiVersion,
    misspelt: misspelt(Object.keys(parsed.data)),
  };
}

/** The options as plugins get them in environment variables. @throws CliError for an option of Node that has another type */
function runtimeOptions(language: string | undefined, options: Readonly<Record<string, ConfigValue>>): Record<string, string | boolean> {
  if (language === "nodejs") {
    const parsed = nodeOptionsSchema.safeParse(options);
    if (!parsed.success) throw new CliError(z.prettifyError(parsed.error));
  }
  return Object.fromEntries(Object.entries(options).map(([key, value]) => [key, typeof value === "boolean" ? value : asText(value)]));
}

/** @throws CliError for a runtime that is not Node's */
export function requireNode(project: Project): void {
  if (project.runtime === undefined) throw new CliError(`${project.file} names no runtime, so that no program can be run`);
  if (project.runtime !== "nodejs") throw unsupported(`runtime ${project.runtime}`);
  if (project.languagePlugins.includes("nodejs")) throw unsupported("a plugin of its own for nodejs (plugins.languages of Pulumi.yaml)");
}

/** Takes `stack`, `organization/stack` and `organization/project/stack`, as the CLI does. `project/stack` is refused. */
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
