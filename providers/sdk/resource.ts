/** What a provider is made of. `P` is what {@link ProviderDefinition.configure} returns: clients, settings. */
import type { ResourceSpec } from "./package-schema";
import type { JsonObject, Values } from "./values";

export type Severity = "debug" | "info" | "warning" | "error";

/** What every call gets beside its values. */
export interface CallContext {
  /** Aborts when the engine cancels, or the resource's own timeout (customTimeouts) has passed. */
  signal: AbortSignal;
  /** A line for the person who watches; `status` lines are shown while the operation runs and not kept. */
  log(severity: Severity, message: string, options?: { status?: boolean }): void;
}

export interface ResourceCall<P> extends CallContext {
  provider: P;
  urn: string;
  /** The type token. */
  type: string;
  /** The resource's name in the program. */
  name: string;
  /** The resource's own limit (customTimeouts), where it has one; `signal` aborts after it. */
  timeoutSeconds: number | undefined;
}

export interface CheckFailure {
  /** Property path; empty for the resource as a whole. */
  property: string;
  reason: string;
}

export interface CheckCall<P> extends ResourceCall<P> {
  /** The inputs of the last run as this method returned them, or undefined for a new resource. No secret markers. */
  olds: Values | undefined;
  /** The program's inputs. No secret markers; values may be unknown. */
  news: Values;
  /** 32 bytes, the same in preview and update: the source of random names. Empty from engines that send none. */
  randomSeed: Uint8Array;
}

export interface CheckResult {
  /** What is stored, compared and given to create and update: defaults filled in. Secret markers come back by key. */
  inputs: Values;
  failures?: CheckFailure[];
}

export interface DiffCall<P> extends ResourceCall<P> {
  id: string;
  oldInputs: Values;
  /** The outputs in the state. */
  oldOutputs: Values;
  news: Values;
  ignoreChanges: readonly string[];
}

export type DiffKind = "add" | "add-replace" | "delete" | "delete-replace" | "update" | "update-replace";

export interface DiffResult {
  changed: boolean;
  /** Top-level properties that force a replacement. */
  replaces: string[];
  deleteBeforeReplace?: boolean;
  /** Top-level properties that differ. */
  diffs: string[];
  /** By property path. `inputDiff`: the inputs differ, rather than the state and the inputs; default true. */
  detailed: Record<string, { kind: DiffKind; inputDiff?: boolean }>;
}

export interface CreateCall<P> extends ResourceCall<P> {
  inputs: JsonObject;
}
export interface PreviewCreateCall<P> extends ResourceCall<P> {
  inputs: Values;
}

export interface ReadCall<P> extends ResourceCall<P> {
  id: string;
  /** Inputs and outputs as last known; both empty for an import. */
  inputs: JsonObject;
  outputs: JsonObject;
}

export interface UpdateCall<P> extends ResourceCall<P> {
  id: string;
  oldInputs: JsonObject;
  oldOutputs: JsonObject;
  inputs: JsonObject;
  /** Property paths whose inputs the engine has kept as they were. */
  ignoreChanges: readonly string[];
}
export interface PreviewUpdateCall<P> extends ResourceCall<P> {
  id: string;
  oldInputs: Values;
  oldOutputs: Values;
  inputs: Values;
}

export interface DeleteCall<P> extends ResourceCall<P> {
  id: string;
  inputs: JsonObject;
  outputs: JsonObject;
}

export interface ReadResult {
  id: string;
  outputs: Values;
  /** The inputs that would have made it. Where they cannot be determined they are left out, and the known ones stay. */
  inputs?: Values;
}

/**
 * One resource type. Values that reach `create`, `read`, `update` and `delete` are plain: no unknowns, no secret markers.
 * The framework puts the markers back on outputs by the inputs' keys and by {@link secretOutputs}; a definition may also
 * return a `Secret` itself. In previews it answers for the definition, unless that has methods of its own.
 */
export interface ResourceDefinition<P> {
  token: string;
  /** How GetSchema describes it. Default: not at all. */
  spec?(): ResourceSpec | undefined;
  /** Inputs that become secret whatever the program said; `a.b` is the field `b` of `a`. */
  secretInputs?: readonly string[];
  /** Outputs that are always secret. */
  secretOutputs?: readonly string[];
  /** Outputs that only the target system knows: unknown in the preview of a create. */
  computed?: readonly string[];
  /** Those of `computed` that an update changes: unknown in its preview. Default: none. */
  computedOnUpdate?: readonly string[];
  /** Default: the inputs as they are. */
  check?(call: CheckCall<P>): Promise<CheckResult>;
  /** Default: inputs against inputs; every difference is an update, or a replacement where there is no `update`. */
  diff?(call: DiffCall<P>): Promise<DiffResult>;
  create(call: CreateCall<P>): Promise<{ id: string; outputs: Values }>;
  /** Default: the inputs and, for `computed`, unknown. */
  previewCreate?(call: PreviewCreateCall<P>): Promise<Values>;
  /** undefined: it does not exist. Default: the state is taken to be true. */
  read?(call: ReadCall<P>): Promise<ReadResult | undefined>;
  update?(call: UpdateCall<P>): Promise<Values>;
  /** Default: the old outputs under the new inputs, with `computedOnUpdate` unknown. */
  previewUpdate?(call: PreviewUpdateCall<P>): Promise<Values>;
  /** Default: nothing to do. */
  delete?(call: DeleteCall<P>): Promise<void>;
}

export interface InvokeCall<P> extends CallContext {
  provider: P;
  token: string;
  args: JsonObject;
}

export interface ConfigureCall extends CallContext {
  /** The provider resource's URN; empty where the engine sends none. */
  urn: string;
  /** Plain configuration; values that are no strings arrive as JSON text (see config.ts). */
  config: JsonObject;
}

export interface ProviderDefinition<P = unknown> {
  /** The package, for example `vault`. */
  name: string;
  /** The version of the SDK package that it stands for. */
  version: string;
  /** Complaints about the provider's configuration; values may be unknown. Default: none. */
  checkConfig?(config: Values): CheckFailure[];
  /** Configuration keys whose change replaces the provider, and so everything made with it. */
  replaceOnConfig?: readonly string[];
  /** What a change of the configuration means, where {@link replaceOnConfig} cannot say it. */
  diffConfig?(olds: Values, news: Values): DiffResult;
  configure(call: ConfigureCall): Promise<P>;
  /** The types that GetSchema returns. Default: GetSchema is not implemented. */
  tokens?: readonly string[];
  /** `meta` and `language` of the package schema. Default: a type's module without its last part. */
  modules?: Readonly<Record<string, unknown>>;
  /** undefined: refused by name. */
  resource(token: string): ResourceDefinition<P> | undefined;
  /** Default: every function is refused by name. Resolves to undefined for one that is not supported. */
  invoke?(call: InvokeCall<P>): Promise<Values | undefined>;
  /** Called once, when the instance ends. */
  close?(provider: P): Promise<void>;
}

/**
 * The resource exists but is not what was asked for: it is kept in the state with these outputs, the step counts as failed,
 * and the next run updates it.
 */
export class PartialFailure extends Error {
  /** Of a read: the inputs that would have made it. */
  readonly inputs: Values | undefined;

  constructor(
    readonly id: string,
    readonly outputs: Values,
    readonly reasons: readonly string[],
    options: { cause?: unknown; inputs?: Values } = {},
  ) {
    super(reasons.join("; "), options);
    this.name = "PartialFailure";
    this.inputs = options.inputs;
  }
}
