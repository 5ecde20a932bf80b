/** When an Application is synced: on request, as a retry, or automatically. Pure. */
import type { ApplicationSpec, Condition, Operation, OperationState, Retry, Source } from "./schema";

/** Default backoff of a retry: 5 seconds, twice as long each time, 3 minutes at most. */
const BACKOFF = { duration: "5s", factor: 2, maxDuration: "3m" };
/** Each self-heal in a row waits longer than the one before. */
const HEAL = { firstMs: 2_000, factor: 3, mostMs: 300_000 };
const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** A duration as Go writes it, in milliseconds. */
const milliseconds = (text: string): number =>
  [...text.matchAll(/(\d+(?:\.\d+)?)(ms|h|m|s)/g)].reduce((sum, [, count, unit]) => sum + Number(count) * (UNITS[unit ?? ""] ?? 0), 0);

/** How long after a failure the next attempt begins. @param count retries so far */
function retryAfter({ backoff }: Retry, count: number): number {
  const { duration = BACKOFF.duration, factor = BACKOFF.factor, maxDuration = BACKOFF.maxDuration } = backoff ?? {};
  return Math.min(milliseconds(duration) * factor ** count, milliseconds(maxDuration));
}

/** The state after a failed step: the operation goes on until it is retried, or it has ended. */
export function afterFailure(state: OperationState, now: string): OperationState {
  const { retryCount = 0, operation, message } = state;
  if (retryCount < operation.retry.limit || operation.retry.limit < 0) {
    const at = new Date(Date.parse(now) + retryAfter(operation.retry, retryCount)).toISOString();
    return { ...state, phase: "Running", finishedAt: now, retryCount: retryCount + 1, message: `${message}. Retrying attempt #${retryCount + 1} at ${at}.` };
  }
  return { ...state, finishedAt: now, message: retryCount > 0 ? `${message} (retried ${retryCount} times).` : message };
}

/** Milliseconds until a failed attempt is retried; undefined: none waits for a retry. */
export function untilRetry({ phase, finishedAt, operation, retryCount = 1 }: OperationState, now: number): number | undefined {
  if (phase !== "Running" || finishedAt === undefined) return undefined;
  // The count was raised when it failed.
  return Math.max(0, Date.parse(finishedAt) + retryAfter(operation.retry, retryCount - 1) - now);
}

const sameSource = (a: Source, b: Source): boolean => a.repoURL === b.repoURL && a.path === b.path && a.targetRevision === b.targetRevision;

export interface Situation {
  readonly spec: ApplicationSpec;
  readonly revision: string;
  readonly resources: readonly { readonly group: string; readonly kind: string; readonly name: string; readonly synced: boolean; readonly prune: boolean }[];
  readonly state: OperationState | undefined;
  readonly now: number;
}

/** The automatic sync: now, later or not at all, with the condition that Argo CD sets. */
export type Automatic = { readonly operation: Operation } | { readonly afterMs: number } | { readonly condition: Condition } | undefined;

export function automaticSync({ spec, revision, resources, state, now }: Situation): Automatic {
  const { automated, syncOptions, retry } = spec.syncPolicy;
  const out = resources.filter(({ synced }) => !synced);
  if (automated === undefined || !automated.enabled || out.length === 0) return undefined;
  if (!automated.prune && out.every(({ prune }) => prune)) return undefined;
  const operation: Operation = {
    sync: { revision, prune: automated.prune, syncOptions, source: spec.source },
    initiatedBy: { automated: true },
    retry: retry ?? { limit: 5 },
  };
  const attempted =
    state !== undefined &&
    state.phase !== "Running" &&
    (state.syncResult === undefined || (state.syncResult.revision === revision && sameSource(state.syncResult.source, spec.source)));
  if (attempted) {
    if (state.phase !== "Succeeded")
      return { condition: { type: "SyncError", message: `Failed last sync attempt to [${state.syncResult?.revision ?? ""}]: ${state.message}` } };
    if (!automated.selfHeal) return undefined;
    const since = now - Date.parse(state.finishedAt ?? state.startedAt);
    const count = since > HEAL.mostMs ? 0 : (state.operation.sync.autoHealAttemptsCount ?? 0);
    const wait = count === 0 ? 0 : Math.min(HEAL.firstMs * HEAL.factor ** (count - 1), HEAL.mostMs) - since;
    if (wait > 0) return { afterMs: wait };
    operation.sync.autoHealAttemptsCount = count + 1;
    operation.sync.resources = out.map(({ group, kind, name }) => ({ group, kind, name }));
  }
  if (automated.prune && !automated.allowEmpty && resources.every(({ prune }) => prune))
    return { condition: { type: "SyncError", message: `Skipping sync attempt to [${revision}]: auto-sync will wipe out all resources` } };
  return { operation };
}
