/** Starts one policy pack and gives it its settings. */
import * as path from "node:path";
import { childEnv, readEnv } from "../../common/env";
import { DeploymentError } from "../errors";
import { startPlugin } from "../providers/plugin-process";
import type { PropertyMap } from "../wire/values";
import type { PackFacts, PolicyFacts, PolicySummary, Severity } from "./analysis";
import { AnalyzerClient, type StackFacts } from "./analyzer-client";
import { readPackConfig, settingsOf } from "./pack-config";
import { packProject } from "./pack-project";

export interface PackSource {
  given: { path: string; config: string | undefined };
  engine: { readonly address: string };
  stack: StackFacts;
  /** Folder in which the program runs: relative paths of assets start there. */
  programDir: string;
  /** The run's first signal. */
  signal: AbortSignal;
  /** Hides secrets, among them those of the given maps. */
  redact(text: string, maps?: readonly PropertyMap[]): string;
  onLog(line: string, stream: "info" | "info#err"): void;
}

export class LoadedPack {
  readonly severities: ReadonlyMap<string, Severity>;

  constructor(
    readonly client: AnalyzerClient,
    /** The folder as given by the flag. */
    readonly path: string,
    private readonly facts: PackFacts,
    private readonly disabled: ReadonlySet<string>,
    /** That of PulumiPolicy.yaml; without one, that which the pack reports. */
    readonly version: string,
  ) {
    this.severities = new Map(facts.policies.flatMap(({ name, severity }) => (severity === undefined ? [] : [[name, severity] as const])));
  }

  get name(): string {
    return this.facts.name;
  }

  /** Which policies of a kind passed: all that were asked and reported nothing. */
  summary(kind: "resource" | "stack", failed: readonly string[], notApplicable: readonly string[]): PolicySummary {
    const said = new Set([...failed, ...notApplicable]);
    const asked = (policy: PolicyFacts): boolean => (policy.kind === kind || policy.kind === "unknown") && !this.disabled.has(policy.name);
    const passed = this.facts.policies.filter((policy) => asked(policy) && !said.has(policy.name)).map(({ name }) => name);
    return { pack: this.name, version: this.version, passed: passed.sort(), failed: [...new Set(failed)].sort() };
  }
}

/** A pack may ask for stack, project and settings as a program does. */
function environment({ stack, project, preview, config, secretKeys }: StackFacts): NodeJS.ProcessEnv {
  const facts = { ORGANIZATION: "organization", PROJECT: project, STACK: stack, DRY_RUN: String(preview) };
  return childEnv({
    ...Object.fromEntries(Object.entries(facts).flatMap(([name, value]) => ["PULUMI_", "PULUMI_NODEJS_"].map((prefix) => [prefix + name, value]))),
    PULUMI_CONFIG: JSON.stringify(config),
    PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(secretKeys),
    // As for programs: gRPC's library sends even loopback addresses through `https_proxy`, except for those listed here.
    no_grpc_proxy: [readEnv("no_grpc_proxy") ?? readEnv("no_proxy"), "127.0.0.1", "localhost"].filter((entry) => entry !== undefined).join(","),
  });
}

async function prepared(client: AnalyzerClient, source: PackSource, folder: string): Promise<PackFacts & { disabled: Set<string> }> {
  await client.handshake(source.engine.address, folder);
  await client.configureStack(source.stack);
  const facts = await client.facts();
  const { config } = source.given;
  if (!facts.supportsConfig) {
    if (config !== undefined) throw new DeploymentError(`policy pack ${facts.name} takes no settings, and ${config} was given`);
    return { ...facts, disabled: new Set() };
  }
  const settings = settingsOf(facts, config === undefined ? {} : readPackConfig(config));
  await client.configure(settings);
  return { ...facts, disabled: new Set([...settings].flatMap(([name, { level }]) => (level === "disabled" ? [name] : []))) };
}

/** @throws DeploymentError that names the pack, where it cannot be used */
export async function startPack(source: PackSource): Promise<LoadedPack> {
  const { path: given } = source.given;
  const { folder, version, nodeArgs, runner } = packProject(given);
  const args = [...nodeArgs, runner, source.engine.address, "."];
  const plugin = await startPlugin({
    file: process.execPath,
    args,
    cwd: folder,
    env: environment(source.stack),
    onLog: source.onLog,
    signal: source.signal,
  }).catch((thrown: unknown) => {
    if (thrown instanceof DeploymentError) throw new DeploymentError(`policy pack ${folder} failed to start: ${source.redact(thrown.message)}`);
    throw thrown;
  });
  const client = new AnalyzerClient(path.relative(process.cwd(), folder) || folder, plugin, source.redact);
  try {
    const { disabled, ...facts } = await prepared(client, source, folder);
    return new LoadedPack(client, given, facts, disabled, version ?? facts.version);
  } catch (thrown) {
    await client.stop();
    throw thrown;
  }
}
