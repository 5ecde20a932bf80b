/** Which plugin serves each package of the program: an official one where its version is installed, else this project's own. */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { readEnv } from "../../common/env";
import { HomelabError } from "../../common/errors";
import { findOnPath } from "../../common/executables";
import { projectRoot } from "../../common/paths";

/** The program's packages, and the npm package whose version is the one that the program asks for. */
const PACKAGES = {
  command: "@pulumi/command",
  kubernetes: "@pulumi/kubernetes",
  proxmoxve: "@muhlba91/pulumi-proxmoxve",
  vault: "@pulumi/vault",
} as const;
export type PackageName = keyof typeof PACKAGES;
export const PACKAGE_NAMES = Object.keys(PACKAGES) as PackageName[];

const sdkSchema = z.object({ version: z.string() });

/** The version of the plugin that the installed SDK package asks for. */
function askedVersion(name: PackageName): string {
  const file = path.join(projectRoot(), "node_modules", ...PACKAGES[name].split("/"), "package.json");
  return sdkSchema.parse(JSON.parse(fs.readFileSync(file, "utf8"))).version;
}

/** Folder of this project's plugin for a package. */
export const ownPlugin = (name: PackageName): string => path.join(projectRoot(), "providers", name);

/** Where the engines keep installed plugins: `PULUMI_HOME`, default `~/.pulumi`. */
const pluginsDir = (): string => path.join(readEnv("PULUMI_HOME") ?? path.join(os.homedir(), ".pulumi"), "plugins");

/** The official plugin that an engine would start, or undefined. Another version than the asked one, or half of one, is none. */
function officialPlugin(name: PackageName): { from: string; why: string } | undefined {
  const executable = `pulumi-resource-${name}`;
  const ignored = /^(1|true)$/i.test(readEnv("PULUMI_IGNORE_AMBIENT_PLUGINS") ?? "");
  const onPath = ignored ? undefined : findOnPath(executable);
  if (onPath !== undefined) return { from: onPath, why: "official plugin on PATH" };
  const folder = path.join(pluginsDir(), `resource-${name}-v${askedVersion(name)}`);
  const complete = [executable, "PulumiPlugin.yaml"].some((file) => fs.existsSync(path.join(folder, file)));
  if (!complete || fs.existsSync(`${folder}.partial`)) return undefined;
  return { from: folder, why: "official plugin in PULUMI_HOME" };
}

/** Packages for which no official plugin is installed: those that the lab's project names ours for, so that nothing is downloaded. */
export const packagesWithoutOfficialPlugin = (): PackageName[] => PACKAGE_NAMES.filter((name) => officialPlugin(name) === undefined);

const projectSchema = z.looseObject({
  plugins: z.looseObject({ providers: z.array(z.looseObject({ name: z.string(), path: z.string() })).optional() }).nullish(),
});

/** `plugins.providers` of a project file: folder by package. @throws HomelabError E_PROJECT_FILE */
export function namedPlugins(projectFile: string): ReadonlyMap<string, string> {
  try {
    const { plugins } = projectSchema.parse(parse(fs.readFileSync(projectFile, "utf8")));
    return new Map((plugins?.providers ?? []).map(({ name, path: folder }) => [name, path.resolve(path.dirname(projectFile), folder)]));
  } catch (cause) {
    throw new HomelabError("E_PROJECT_FILE", `${projectFile} is not a project file`, { cause, subject: projectFile });
  }
}

export interface ProviderChoice {
  /** Folder or file of the plugin, or what the Pulumi CLI does where there is none. */
  from: string;
  why: string;
}

/**
 * What a run starts for a package, in the engines' own order: what the project names, PATH, PULUMI_HOME, then this project's own
 * (embedded engine) or a download (Pulumi CLI).
 * @param named {@link namedPlugins} of the project in which the engine runs
 */
export function chooseProvider(name: PackageName, engine: "pulumi" | "embedded", named: ReadonlyMap<string, string>): ProviderChoice {
  const given = named.get(name);
  if (given !== undefined) {
    const none = packagesWithoutOfficialPlugin().includes(name) ? `; no official plugin ${askedVersion(name)} is installed` : "";
    return { from: given, why: `named in plugins.providers of Pulumi.yaml${none}` };
  }
  const official = officialPlugin(name);
  if (official !== undefined) return official;
  const none = `no official plugin ${askedVersion(name)} is installed`;
  return engine === "embedded" ? { from: ownPlugin(name), why: none } : { from: "downloaded by the Pulumi CLI", why: none };
}
