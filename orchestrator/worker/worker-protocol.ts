/**
 * What crosses between the orchestrator and the child process of one stack operation, over Node's IPC channel. Both sides
 * are of one build, so this is types only.
 */
export type Operation = "preview" | "up" | "refresh" | "preview-destroy" | "destroy" | "outputs" | "status";

/** Parent to child, once. */
export interface WorkerTask {
  operation: Operation;
  stack: string;
  /** Folder with Pulumi.yaml and the stacks' settings. */
  workDir: string;
  /** Folder whose bin/pulumi is the engine; undefined = `pulumi` on PATH. */
  engineRoot: string | undefined;
  /** Resource operations at once inside the stack. */
  parallel: number;
  /** Wait for a lock of the stack that another run holds, instead of failing. */
  wait?: boolean;
  /** Of `destroy`: protected resources are destroyed too. For the lab, whose data nobody needs. */
  unprotect?: boolean;
  /** Of `up`, `refresh` and `destroy`: the run before left the stack in doubt or failed, so that pending creations are looked for first. */
  adopt?: boolean;
}

/** Parent to child, later. The first asks the engine to stop at the next safe point, a second to stop at once. */
export interface WorkerCancel {
  cancel: true;
}

export interface ResourceStep {
  op: string;
  urn: string;
  type: string;
  name: string;
  /** A component: its parts are what is made. */
  component: boolean;
  /** Changed property paths, where the engine knows them. */
  diffs: string[];
  /** Properties that force a replacement. */
  keys: string[];
  /** Of an update or a replacement, whole; secrets are masked by the engine. */
  values: ChangedValue[];
}

/** A property's old and new value as JSON; `from` is missing where it is added, `to` where it goes. */
export interface ChangedValue {
  path: string;
  from?: string;
  to?: string;
}

export interface OutputValue {
  value: unknown;
  secret: boolean;
}

/** Child to parent, in lists. Resource events come as they happen; exactly one `result` comes last. */
export type WorkerMessage =
  | { kind: "step-started"; step: ResourceStep }
  | { kind: "step-done"; step: ResourceStep }
  | { kind: "step-failed"; step: ResourceStep }
  | { kind: "diagnostic"; severity: "info" | "warning" | "error"; urn: string; message: string }
  | { kind: "result"; result: WorkerResult };

export interface WorkerResult {
  ok: boolean;
  /** Operation name to count, `same` included. */
  changes: Record<string, number>;
  /** Of `up` and `outputs`. */
  outputs?: Record<string, OutputValue>;
  /** Of `status`. */
  state?: { exists: boolean; resources: number; lastUpdate: string | undefined; locked: boolean };
  error?: { code: string; message: string; hint?: string };
  /** The worker was ended before it had a result: what it did is not known. Its parent's word. */
  inDoubt?: boolean;
}
