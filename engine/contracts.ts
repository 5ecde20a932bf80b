/** The seam between the engine's core (deployment, monitor, steps, providers) and its command line (state files, config, display). */

import type { Plan } from "./plans/plan";
import type { SnapshotJournal } from "./snapshot/manager";
import type { Snapshot } from "./snapshot/types";
import type { PropertyMap } from "./wire/values";

export interface ProjectInfo {
  name: string;
  /** Folder of Pulumi.yaml. */
  root: string;
  /** Folder in which the program runs. */
  programDir: string;
  /** What is run in it: `.` or a file. */
  entryPoint: string;
  runtimeOptions: Record<string, string | boolean>;
  /** `plugins.providers` of Pulumi.yaml. One with a version serves requests for that version, and requests without one. */
  providerPaths: { name: string; version: string | undefined; folder: string }[];
}

export interface StackConfig {
  /** `namespace:key` to its value as the program gets it: text, secrets decrypted. */
  values: Record<string, string>;
  secretKeys: string[];
}

export type OperationKind = "preview" | "update" | "refresh" | "destroy";

export interface OperationOptions {
  /** Steps at once, at least 1. */
  parallel: number;
  targets: string[];
  targetDependents: boolean;
  excludes: string[];
  excludeDependents: boolean;
  /** URNs to replace. */
  replaces: string[];
  /** Refresh before the update. */
  refresh: boolean;
  /** The refresh reads the resources that the program registers, with the program's providers, instead of all resources of the state beforehand. */
  refreshByProgram?: boolean;
  continueOnError: boolean;
  excludeProtected: boolean;
  /** Debug messages of the program and of plugins become events. */
  debug: boolean;
}

/** Events in the CLI's own JSON form (engine-contract A6), without sequence and timestamp. */
export type EngineEventPayload =
  | { preludeEvent: { config: Record<string, string> } }
  | { resourcePreEvent: { metadata: StepMetadata; planning?: boolean } }
  | { resOutputsEvent: { metadata: StepMetadata; planning?: boolean } }
  | { resOpFailedEvent: { metadata: StepMetadata; status: number; steps: number } }
  | { diagnosticEvent: DiagnosticEvent }
  | { policyLoadEvent: Record<string, never> }
  | { policyEvent: PolicyEvent }
  | { policyRemediationEvent: PolicyRemediationEvent }
  | { policyAnalyzeSummaryEvent: PolicySummaryEvent & { resourceUrn: string } }
  | { policyRemediateSummaryEvent: PolicySummaryEvent & { resourceUrn: string } }
  | { policyAnalyzeStackSummaryEvent: PolicySummaryEvent }
  | { stdoutEvent: { message: string; color: string } }
  | { summaryEvent: SummaryEvent }
  | { cancelEvent: Record<string, never> };

export interface DiagnosticEvent {
  urn?: string;
  prefix: string;
  message: string;
  color: string;
  severity: "debug" | "info" | "info#err" | "warning" | "error";
  streamID?: number;
  ephemeral?: boolean;
  /** Codes of a provider's failure, so that nobody has to parse the message. The CLI's events have none. */
  codes?: readonly string[];
}

interface PolicyEventSource {
  policyPackName: string;
  policyPackVersion: string;
  policyPackVersionTag: string;
}

/** A policy is violated. */
export interface PolicyEvent extends PolicyEventSource {
  resourceUrn?: string;
  message: string;
  color: string;
  policyName: string;
  enforcementLevel: "advisory" | "mandatory";
  severity?: string;
}

/** A policy has changed the inputs of a resource. */
export interface PolicyRemediationEvent extends PolicyEventSource {
  resourceUrn?: string;
  color: string;
  policyName: string;
  before: PropertyMap;
  after: PropertyMap;
}

/** Names of policies; absent where there are none. */
interface PolicySummaryEvent extends PolicyEventSource {
  passed?: string[];
  failed?: string[];
}

export interface SummaryEvent {
  maybeCorrupt: boolean;
  durationSeconds: number;
  resourceChanges: Record<string, number>;
  /** `<name>|local|<path>` of each pack that was used, to its version. */
  PolicyPacks: Record<string, string>;
  isPreview: boolean;
  result?: "succeeded" | "failed";
}

export interface StepStateEvent {
  type: string;
  urn: string;
  custom?: boolean;
  delete?: boolean;
  id: string;
  parent: string;
  protect?: boolean;
  external?: boolean;
  retainOnDelete?: boolean;
  inputs: PropertyMap;
  outputs: PropertyMap;
  provider: string;
  initErrors?: string[];
  /** Paths whose differences are not shown. */
  hideDiffs?: string[];
}

export type DiffKind = "add" | "add-replace" | "delete" | "delete-replace" | "update" | "update-replace";

export interface StepMetadata {
  op: string;
  urn: string;
  type: string;
  old: StepStateEvent | null;
  new: StepStateEvent | null;
  keys?: string[];
  diffs?: string[];
  detailedDiff: Record<string, { diffKind: DiffKind; inputDiff: boolean }> | null;
  logical?: boolean;
  provider: string;
}

/** One resource of `pulumi import`. */
export interface ImportSpec {
  type: string;
  name: string;
  /** undefined: a component or a provider, which is created instead of read. */
  id: string | undefined;
  /** The configuration, if it is a provider. */
  inputs: PropertyMap | undefined;
  /** URN; undefined: the stack. */
  parent: string | undefined;
  /** An explicit provider: one of the state; without an ID, one that is imported before this resource. */
  provider: { urn: string; id?: string } | undefined;
  version: string | undefined;
  pluginDownloadUrl: string | undefined;
  protect: boolean;
}

export interface DeploymentRequest {
  kind: OperationKind;
  /** The operation that a preview previews. */
  previewOf?: "update" | "refresh" | "destroy";
  project: ProjectInfo;
  stack: string;
  config: StackConfig;
  snapshot: Snapshot;
  /** How the program is run; undefined = not at all. */
  program: { kind: "local" } | { kind: "client"; address: string } | { kind: "imports"; imports: ImportSpec[] } | undefined;
  options: OperationOptions;
  emit(event: EngineEventPayload): void;
  journal: SnapshotJournal;
  /** Aborted at the first signal: running steps finish, nothing new starts. */
  signal: AbortSignal;
  /** Aborted at the second signal: plugins and program are killed, and what is under way stays pending in the state. */
  terminate?: AbortSignal;
  /** Outputs of another stack of this backend, for stack references; undefined where there is none. */
  stackOutputs(name: string): Promise<PropertyMap | undefined>;
  /** Events hold secrets as they are, for a person who asked for it; otherwise masked. */
  showSecrets?: boolean;
  /** Folder of the user's plugins: `$PULUMI_HOME/plugins`. */
  pluginsDir: string;
  /** Providers that run already (PULUMI_DEBUG_PROVIDERS): package to `host:port`. They are attached to, and left running. */
  attachedProviders?: Record<string, string>;
  /** The plan that limits the run. */
  plan?: Plan | undefined;
  /** Policy packs that check the run, in this order: their folders, and files with their settings. */
  policyPacks?: readonly { path: string; config: string | undefined }[];
  /** Whether to make a plan of what the run does. */
  writePlan?: boolean;
}

export interface DeploymentResult {
  ok: boolean;
  /** Operation to count, as in the summary event. */
  changes: Record<string, number>;
  /** The state afterwards; of a preview, the state before. */
  snapshot: Snapshot;
  maybeCorrupt: boolean;
  /** The plan, where `writePlan` was set. */
  plan?: Plan | undefined;
}
