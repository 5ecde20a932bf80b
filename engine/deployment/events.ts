import type { EngineEventPayload, StepMetadata, StepStateEvent } from "../contracts";
import type { ResourceState } from "../snapshot/types";
import { isInternal, isLogical, type Step } from "../steps/step";
import { isSecret, mapValue, type PropertyMap, SIGNATURE, SIGNATURE_KEY } from "../wire/values";

const MASKED = { [SIGNATURE_KEY]: SIGNATURE.secret, ciphertext: "[secret]" };

const masked = (map: PropertyMap): PropertyMap => mapValue(map, (value) => (isSecret(value) ? MASKED : value)) as PropertyMap;

function stateEvent(state: ResourceState | undefined): StepStateEvent | null {
  if (state === undefined) return null;
  return {
    type: state.type,
    urn: state.urn,
    ...(state.custom ? { custom: true } : {}),
    ...(state.delete ? { delete: true } : {}),
    id: state.id ?? "",
    parent: state.parent ?? "",
    ...(state.protect ? { protect: true } : {}),
    ...(state.external ? { external: true } : {}),
    ...(state.retainOnDelete ? { retainOnDelete: true } : {}),
    inputs: masked(state.inputs),
    outputs: masked(state.outputs),
    provider: state.provider ?? "",
    ...(state.initErrors.length > 0 ? { initErrors: state.initErrors } : {}),
  };
}

function metadata(step: Step, op: string): StepMetadata {
  return {
    op,
    urn: step.urn,
    type: step.type,
    old: stateEvent(step.old),
    new: stateEvent(step.new),
    ...(step.keys.length > 0 ? { keys: step.keys } : {}),
    ...(step.diffs.length > 0 ? { diffs: step.diffs } : {}),
    detailedDiff: step.detailedDiff ?? null,
    ...(isLogical(step.op) ? { logical: true } : {}),
    provider: step.provider ?? "",
  };
}

/** Turns what happens into events, and counts. */
export class EventLog {
  readonly changes: Record<string, number> = {};
  maybeCorrupt = false;
  errors = 0;

  constructor(
    private readonly emit: (event: EngineEventPayload) => void,
    private readonly preview: boolean,
  ) {}

  planned(step: Step): void {
    this.emit({ resourcePreEvent: { metadata: metadata(step, step.op), ...(this.preview ? { planning: true } : {}) } });
  }

  /** @param op what a refresh turned out to be; otherwise the step's own */
  finished(step: Step, op: string = step.op): void {
    this.emit({ resOutputsEvent: { metadata: metadata(step, op), ...(this.preview ? { planning: true } : {}) } });
  }

  count(step: Step, op: string = step.op): void {
    if ((!isLogical(step.op) && step.op !== "refresh") || isInternal(step)) return;
    this.changes[op] = (this.changes[op] ?? 0) + 1;
  }

  failed(step: Step, status: number): void {
    if (this.preview) return;
    if (status === 2) this.maybeCorrupt = true;
    this.emit({ resOpFailedEvent: { metadata: metadata(step, step.op), status, steps: 0 } });
  }

  /** What went wrong with a step; the engine's own steps have no resource to show it on. */
  stepError(step: Step, message: string): void {
    this.diagnostic("error", this.preview ? `Preview failed: ${message}` : message, isInternal(step) ? undefined : step.urn);
  }

  diagnostic(severity: "debug" | "info" | "info#err" | "warning" | "error", message: string, urn?: string): void {
    if (severity === "error") this.errors++;
    const prefix = severity === "error" || severity === "warning" || severity === "debug" ? `${severity}: ` : "";
    this.emit({ diagnosticEvent: { ...(urn ? { urn } : {}), prefix, message: message.endsWith("\n") ? message : `${message}\n`, color: "never", severity } });
  }
}
