/** The stack file: a checkpoint with the latest deployment (engine-contract G2). */
import { createHash } from "node:crypto";
import { z } from "zod";
import { ENGINE_VERSION } from "../../common/engine-version";
import { CliError, unsupported } from "../errors";
import { exactJson, parseExactJson } from "../wire/exact-json";

/**
 * Fields of a resource that need version 4 of the state file, and the name of each one's feature. A field that this engine cannot
 * handle is refused when the resource is read.
 */
const FEATURE_OF_FIELD: Record<string, string> = {
  refreshBeforeUpdate: "refreshBeforeUpdate",
  replaceWith: "replaceWith",
  resourceHooks: "hooks",
  taint: "taint",
  viewOf: "views",
};

/**
 * The feature of a stack file while a journal beside it holds newer changes. The CLI refuses a file with an unknown feature, so it
 * cannot go on from an outdated file and forget resources that were made since.
 */
export const JOURNAL_FEATURE = "homelab-journal";

const KNOWN_FEATURES = new Set([...Object.values(FEATURE_OF_FIELD), JOURNAL_FEATURE]);

export const manifestSchema = z.looseObject({ time: z.string(), magic: z.string(), version: z.string() });
type Manifest = z.infer<typeof manifestSchema>;

export const deploymentSchema = z.looseObject({
  manifest: manifestSchema,
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

export const hasMagic = ({ magic, version }: Manifest): boolean => magic === magicOf(version);

export const newManifest = (): Manifest => ({ time: new Date().toISOString(), magic: magicOf(ENGINE_VERSION), version: ENGINE_VERSION });

/** @throws CliError for features that this engine does not have */
export function refuseFeatures(version: number, features: readonly string[]): void {
  if (version > 4 || version < 0) throw unsupported(`a state of version ${version}`);
  const unknown = features.find((feature) => !KNOWN_FEATURES.has(feature));
  if (unknown !== undefined) throw unsupported(`a state with feature ${unknown}`);
}

/** The features that a resource in the file's form needs of its reader. */
export function featuresOf(resource: unknown): string[] {
  if (typeof resource !== "object" || resource === null) return [];
  return Object.entries(FEATURE_OF_FIELD).flatMap(([field, feature]) => (field in resource ? [feature] : []));
}

const allFeatures = (resources: readonly unknown[] | null | undefined): string[] => [...new Set((resources ?? []).flatMap(featuresOf))].sort();

/** What a stack file, or an export, begins with: plain states are of version 3, those with features of version 4. */
export function versionOf(latest: RawDeployment | undefined): { version: number; features?: string[] } {
  const features = allFeatures(latest?.resources);
  return features.length === 0 ? { version: 3 } : { version: 4, features };
}

export interface ParsedCheckpoint {
  /** undefined where there was no deployment yet */
  latest: RawDeployment | undefined;
  /** A journal beside the file is newer. */
  journalled: boolean;
  /** Version and features as the file gives them, without {@link JOURNAL_FEATURE}. */
  version: number;
  features: string[];
}

/** @throws CliError that names the file and its backup, for one that is damaged or not ours to read */
export function parseCheckpoint(text: string, file: string): ParsedCheckpoint {
  const hint = `nothing was changed; its last good version is ${file.replace(/\?.*$/, "")}.bak: look at it, and copy it back if it is right`;
  let raw: unknown;
  try {
    raw = parseExactJson(text);
  } catch (cause) {
    throw new CliError(`the state file ${file} is not whole JSON (half written, or damaged): ${hint}`, 1, { cause });
  }
  const parsed = checkpointSchema.safeParse(raw);
  if (!parsed.success) throw new CliError(`the state file ${file} is no checkpoint: ${z.prettifyError(parsed.error)}; ${hint}`);
  const { version, features = [], checkpoint } = parsed.data;
  refuseFeatures(version, features);
  const latest = checkpoint.latest ?? undefined;
  if (latest !== undefined && !hasMagic(latest.manifest)) throw new CliError(`the state file ${file} has a wrong magic number: ${hint}`);
  return { latest, journalled: features.includes(JOURNAL_FEATURE), version, features: features.filter((feature) => feature !== JOURNAL_FEATURE) };
}

/** One compact line, as the CLI writes it. */
export function renderCheckpoint(project: string, stack: string, latest: RawDeployment | undefined): string {
  const name = `organization/${project}/${stack}`;
  if (latest === undefined) return exactJson({ version: 0, checkpoint: { stack: name } });
  return exactJson({ ...versionOf(latest), checkpoint: { stack: name, latest } });
}

/** The parts of a stack file around its resources, for a writer that keeps each resource as text. */
export function renderAround(
  name: { project: string; stack: string },
  features: readonly string[],
  secretsProviders: unknown,
  metadata: unknown,
  inner: { resources: string; pending: string },
): string {
  const version = features.length === 0 ? `"version":3` : `"version":4,"features":${JSON.stringify([...features].sort())}`;
  const lists = [
    ...(inner.resources === "" ? [] : [`"resources":[${inner.resources}]`]),
    ...(inner.pending === "" ? [] : [`"pending_operations":[${inner.pending}]`]),
  ];
  const latest = [
    `"manifest":${JSON.stringify(newManifest())}`,
    `"secrets_providers":${JSON.stringify(secretsProviders)}`,
    ...lists,
    `"metadata":${JSON.stringify(metadata)}`,
  ];
  return `{${version},"checkpoint":{"stack":${JSON.stringify(`organization/${name.project}/${name.stack}`)},"latest":{${latest.join(",")}}}}`;
}
