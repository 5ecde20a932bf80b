/** The stack file: a checkpoint with the latest deployment (engine-contract G2). */
import { createHash } from "node:crypto";
import { z } from "zod";
import { CliError, unsupported } from "../cli/cli-error";
import { ENGINE_VERSION } from "./version";

const KNOWN_FEATURES = new Set(["taint", "replaceWith"]);

export const deploymentSchema = z.looseObject({
  manifest: z.looseObject({ time: z.string(), magic: z.string(), version: z.string() }),
  secrets_providers: z.looseObject({ type: z.string(), state: z.unknown().optional() }).nullish(),
  resources: z.array(z.unknown()).nullish(),
  pending_operations: z.array(z.unknown()).nullish(),
  metadata: z.record(z.string(), z.unknown()).nullish(),
});

export type RawDeployment = z.infer<typeof deploymentSchema>;

const checkpointSchema = z.looseObject({
  version: z.number(),
  features: z.array(z.string()).optional(),
  checkpoint: z.looseObject({ stack: z.string().optional(), latest: deploymentSchema.nullish() }),
});

const magicOf = (version: string): string => createHash("sha256").update(version).digest("hex");

export const newManifest = (): RawDeployment["manifest"] => ({ time: new Date().toISOString(), magic: magicOf(ENGINE_VERSION), version: ENGINE_VERSION });

/** @throws CliError for features that this engine does not have */
export function refuseFeatures(version: number, features: readonly string[]): void {
  if (version > 4 || version < 0) throw unsupported(`a state of version ${version}`);
  const unknown = features.find((feature) => !KNOWN_FEATURES.has(feature));
  if (unknown !== undefined) throw unsupported(`a state with feature ${unknown}`);
}

/**
 * The latest deployment of a stack file's text, undefined where there was none yet.
 * @throws CliError that names the file, for one that is damaged or not ours to read
 */
export function parseCheckpoint(text: string, file: string): RawDeployment | undefined {
  const hint = `nothing was changed; its last good version is ${file.replace(/\?.*$/, "")}.bak: look at it, and copy it back if it is right`;
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch (cause) {
    throw new CliError(`the state file ${file} is not whole JSON (half written, or damaged): ${hint}`, 1, { cause });
  }
  const parsed = checkpointSchema.safeParse(raw);
  if (!parsed.success) throw new CliError(`the state file ${file} is no checkpoint: ${z.prettifyError(parsed.error)}; ${hint}`);
  const { version, features, checkpoint } = parsed.data;
  refuseFeatures(version, features ?? []);
  const latest = checkpoint.latest ?? undefined;
  if (latest !== undefined && latest.manifest.magic !== magicOf(latest.manifest.version))
    throw new CliError(`the state file ${file} has a wrong magic number: ${hint}`);
  return latest;
}

/** One compact line, as the CLI writes it. */
export function renderCheckpoint(project: string, stack: string, latest: RawDeployment | undefined): string {
  const checkpoint = latest === undefined ? { stack: `organization/${project}/${stack}` } : { stack: `organization/${project}/${stack}`, latest };
  const features = [...KNOWN_FEATURES].filter((field) => latest?.resources?.some((r) => typeof r === "object" && r !== null && field in r)).sort();
  const version = latest === undefined ? 0 : features.length > 0 ? 4 : 3;
  return JSON.stringify({ version, ...(features.length > 0 ? { features } : {}), checkpoint });
}
