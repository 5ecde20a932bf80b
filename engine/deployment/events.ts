import { SIGNATURE, SIGNATURE_KEY } from "../../common/signatures";
import type { EngineEventPayload, StepMetadata, StepStateEvent } from "../contracts";
import type { PolicySummary, ShownRemediation, ShownViolation } from "../policies/analysis";
import type { ResourceState } from "../snapshot/types";
import { isInternal, isLogical, type Step } from "../steps/step";
import { isSecret, mapValue, type PropertyMap, storedNumber, type Value } from "../wire/values";

const MASKED = { [SIGNATURE_KEY]: SIGNATURE.secret, ciphertext: "[secret]" };

type Mask = (map: PropertyMap) => PropertyMap;

const stored = (value: Value): Value => (typeof value === "number" ? storedNumber(value) : value);

const masked: Mask = (map): PropertyMap => mapValue(map, (value) => (isSecret(value) ? MASKED : stored(value))) as PropertyMap;

const shown: Mask = (map) => mapValue(map, stored) as PropertyMap;

function maskState(state: StepStateEvent | null): StepStateEvent | null {
  return state && { ...state, inputs: masked(state.inputs), outputs: masked(state.outputs) };
}

/** An event with its secrets masked. */
export function withoutSecretsOf(event: EngineEventPayload): EngineEventPayload {
  const hide = (metadata: StepMetadata): StepMetadata => ({ ...metadata, old: maskState(metadata.old), new: maskState(metadata.new) });
  if ("resourcePreEvent" in event) return { resourcePreEvent: { ...event.resourcePreEvent, metadata: hide(event.resourcePreEvent.metadata) } };
  if ("resOutputsEvent" in event) return { resOutputsEvent: { ...event.resOutputsEvent, metadata: hide(event.resOutputsEvent.metadata) } };
  if ("resOpFailedEvent" in event) return { resOpFailedEvent: { ...event.resOpFailedEvent, metadata: hide(event.resOpFailedEvent.metadata) } };
  if ("policyRemediationEvent" in event) {
    const { before, after, ...facts } = event.policyRemediationEvent;
    return { policyRemediationEvent: { ...facts, before: masked(before), after: masked(after) } };
  }
  return event;
}

const packFacts = (pack: string, version: string) => ({ policyPackName: pack, policyPackVersion: version, policyPackVersionTag: version });

function stateEvent(state: ResourceState | undefined, mask: Mask): StepStateEvent | null {
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
    inputs: mask(state.inputs),
    outputs: mask(state.outputs),
    provider: state.provider ?? "",
    ...(state.initErrors.length > 0 ? { initErrors: state.initErrors } : {}),
    ...(state.hideDiff.length > 0 ? { hideDiffs: state.hideDiff } : {}),
  };
}

function metadata(step: Step, op: string, mask: Mask): StepMetadata {
  return {
    op,
    urn: step.urn,
    type: step.type,
    old: stateEvent(step.old, mask),
    new: stateEvent(step.new, mask),
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
  readonly #mask: Mask;

  constructor(
    private readonly emit: (event: EngineEventPayload) => void,
    private readonly preview: boolean,
    showSecrets = false,
  ) {
    this.#mask = showSecrets ? shown : masked;
  }

  planned(step: Step): void {
    if (step.unshown) return;
    this.emit({ resourcePreEvent: { metadata: metadata(step, step.op, this.#mask), ...(this.preview ? { planning: true } : {}) } });
  }

  /** @param op what a refresh has found (same, update, delete); default: the step's own operation */
  finished(step: Step, op: string = step.op): void {
    if (step.unshown) return;
    this.emit({ resOutputsEvent: { metadata: metadata(step, op, this.#mask), ...(this.preview ? { planning: true } : {}) } });
  }

  count(step: Step, op: string = step.op): void {
    if ((!isLogical(step.op) && step.op !== "refresh") || isInternal(step) || step.unshown) return;
    this.changes[op] = (this.changes[op] ?? 0) + 1;
  }

  failed(step: Step, status: number): void {
    if (this.preview) return;
    if (status === 2) this.maybeCorrupt = true;
    this.emit({ resOpFailedEvent: { metadata: metadata(step, step.op, this.#mask), status, steps: 0 } });
  }

  /** What went wrong with a step; the engine's own steps have no resource to show it on. */
  stepError(step: Step, message: string, codes?: readonly string[]): void {
    this.diagnostic("error", this.preview ? `Preview failed: ${message}` : message, isInternal(step) ? undefined : step.urn, codes);
  }

  policyLoad(): void {
    this.emit({ policyLoadEvent: {} });
  }

  policyViolation({ policy, pack, version, message, level, severity, urn }: ShownViolation): void {
    this.emit({
      policyEvent: {
        resourceUrn: urn,
        message: message.endsWith("\n") ? message : `${message}\n`,
        color: "never",
        policyName: policy,
        ...packFacts(pack, version),
        enforcementLevel: level === "mandatory" ? "mandatory" : "advisory",
        ...(severity === undefined ? {} : { severity }),
      },
    });
  }

  policyRemediation({ policy, pack, version, urn, before, after }: ShownRemediation): void {
    const values = { before: this.#mask(before), after: this.#mask(after) };
    this.emit({ policyRemediationEvent: { resourceUrn: urn, color: "never", policyName: policy, ...packFacts(pack, version), ...values } });
  }

  /** @param urn undefined: of the whole stack */
  policySummary(kind: "analyze" | "remediate", { pack, version, passed, failed }: PolicySummary, urn: string | undefined): void {
    const lists = { ...(passed.length > 0 ? { passed } : {}), ...(failed.length > 0 ? { failed } : {}) };
    const facts = { ...packFacts(pack, version), ...lists };
    if (urn === undefined) this.emit({ policyAnalyzeStackSummaryEvent: facts });
    else if (kind === "analyze") this.emit({ policyAnalyzeSummaryEvent: { resourceUrn: urn, ...facts } });
    else this.emit({ policyRemediateSummaryEvent: { resourceUrn: urn, ...facts } });
  }

  diagnostic(severity: "debug" | "info" | "info#err" | "warning" | "error", message: string, urn?: string, codes?: readonly string[]): void {
    if (severity === "error") this.errors++;
    const prefix = severity === "error" || severity === "warning" || severity === "debug" ? `${severity}: ` : "";
    const text = message.endsWith("\n") ? message : `${message}\n`;
    this.emit({ diagnosticEvent: { ...(urn ? { urn } : {}), prefix, message: text, color: "never", severity, ...(codes === undefined ? {} : { codes }) } });
  }
}
