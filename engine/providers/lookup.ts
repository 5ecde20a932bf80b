/** Finds a provider's plugin. Order as the CLI's (engine-contract E4); the TypeScript providers of this project come last. */
import * as fs from "node:fs";
import { createRequire } from "node:module";
import * as path from "node:path";
import { compare, eq, valid } from "semver";
import { parse } from "yaml";
import { ENV, readEnv } from "../../common/env";
import { findOnPath, isExecutable } from "../../common/executables";
import { projectRoot } from "../../common/paths";
import type { ProjectInfo } from "../contracts";
import { DeploymentError } from "../errors";

export type PluginSource =
  | { kind: "executable"; file: string }
  /** A folder with PulumiPlugin.yaml, run by `run-plugin` of its own SDK. */
  | { kind: "node"; folder: string; runner: string }
  /** A single script that is given the engine's address. */
  | { kind: "script"; file: string }
  /** It runs already, and this process did not start it. */
  | { kind: "attached"; address: string }
  /** One of ours, served by the common host process. */
  | { kind: "bundled"; name: string; host: string };

function inFolder(folder: string, name: string): PluginSource | undefined {
  const executable = path.join(folder, `pulumi-resource-${name}`);
  if (isExecutable(executable)) return { kind: "executable", file: executable };
  const manifest = path.join(folder, "PulumiPlugin.yaml");
  if (!fs.existsSync(manifest)) return undefined;
  const runtime: unknown = parse(fs.readFileSync(manifest, "utf8"))?.runtime;
  const runtimeName = typeof runtime === "object" && runtime !== null && "name" in runtime ? runtime.name : runtime;
  if (runtimeName !== "nodejs")
    throw new DeploymentError(`${manifest}: plugins of runtime ${String(runtimeName)} are not supported by the embedded engine; the Pulumi CLI has them`);
  const runner = createRequire(path.join(folder, "package.json")).resolve("@pulumi/pulumi/cmd/run-plugin");
  return { kind: "node", folder, runner };
}

function onPath(name: string): PluginSource | undefined {
  if (readEnv("PULUMI_IGNORE_AMBIENT_PLUGINS") === "true") return undefined;
  const file = findOnPath(`pulumi-resource-${name}`);
  return file === undefined ? undefined : { kind: "executable", file };
}

function installed(pluginsDir: string, name: string, version: string | undefined): PluginSource | undefined {
  if (!fs.existsSync(pluginsDir)) return undefined;
  const prefix = `resource-${name}-v`;
  const versions = fs
    .readdirSync(pluginsDir)
    .filter((entry) => entry.startsWith(prefix) && valid(entry.slice(prefix.length)) !== null && !fs.existsSync(path.join(pluginsDir, `${entry}.partial`)))
    .map((entry) => entry.slice(prefix.length))
    .sort(compare);
  const chosen = version === undefined ? versions.at(-1) : versions.find((candidate) => candidate === version);
  return chosen === undefined ? undefined : inFolder(path.join(pluginsDir, `${prefix}${chosen}`), name);
}

function bundled(name: string): PluginSource | undefined {
  const root = readEnv(ENV.bundledProviders) ?? path.join(projectRoot(), "providers");
  if (!fs.existsSync(path.join(root, name, "PulumiPlugin.yaml"))) return undefined;
  return { kind: "bundled", name, host: path.join(projectRoot(), "bin", "providers", "host.js") };
}

/** @throws DeploymentError where no plugin is found, naming the folder that was expected */
export function findPlugin(name: string, version: string | undefined, project: ProjectInfo, pluginsDir: string): PluginSource {
  if (name === "pulumi-nodejs") {
    return { kind: "script", file: createRequire(path.join(project.programDir, "package.json")).resolve("@pulumi/pulumi/cmd/dynamic-provider") };
  }
  const configured = project.providerPaths.find(
    (plugin) => plugin.name === name && (plugin.version === undefined || version === undefined || eq(plugin.version, version)),
  )?.folder;
  if (configured !== undefined) {
    // The project file names our provider's folder for the Pulumi CLI. Here the common host serves it.
    const found = path.resolve(configured) === path.join(projectRoot(), "providers", name) ? bundled(name) : inFolder(configured, name);
    if (found === undefined) throw new DeploymentError(`${configured} (plugins.providers of Pulumi.yaml) holds no plugin for ${name}`);
    return found;
  }
  const found = onPath(name) ?? installed(pluginsDir, name, version) ?? bundled(name);
  if (found !== undefined) return found;
  const folder = path.join(pluginsDir, `resource-${name}-v${version ?? "<version>"}`);
  throw new DeploymentError(
    `no plugin for package ${name}${version === undefined ? "" : ` at version ${version}`} is installed: expected ${folder}. The embedded engine downloads nothing; install it with the Pulumi CLI: \`pulumi plugin install resource ${name}${version === undefined ? "" : ` v${version}`}\``,
  );
}
