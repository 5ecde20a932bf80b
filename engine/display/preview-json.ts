import type { EngineEventPayload } from "../contracts";
import { isInternal } from "../steps/step";

/** `preview --json`: one document at the end (engine-contract A8). */
export class PreviewJson {
  readonly #steps: unknown[] = [];
  readonly #diagnostics: unknown[] = [];
  #config: Record<string, string> = {};
  #changes: Record<string, number> = {};
  readonly #startedAt = performance.now();

  event(event: EngineEventPayload): void {
    if ("preludeEvent" in event) this.#config = event.preludeEvent.config;
    else if ("resourcePreEvent" in event) {
      if (isInternal(event.resourcePreEvent.metadata)) return;
      const { op, urn, provider, old, new: next, diffs, keys, detailedDiff } = event.resourcePreEvent.metadata;
      this.#steps.push({
        op,
        urn,
        ...(provider ? { provider } : {}),
        ...(old ? { oldState: old } : {}),
        ...(next ? { newState: next } : {}),
        ...(diffs?.length ? { diffReasons: diffs } : {}),
        ...(keys?.length ? { replaceReasons: keys } : {}),
        detailedDiff: detailedDiff,
      });
    } else if ("diagnosticEvent" in event) {
      const { urn, prefix, message, severity } = event.diagnosticEvent;
      this.#diagnostics.push({ ...(urn ? { urn } : {}), prefix, message, severity });
    } else if ("policyEvent" in event) {
      const { resourceUrn, message, policyName, policyPackName, enforcementLevel } = event.policyEvent;
      const severity = enforcementLevel === "mandatory" ? "error" : "warning";
      const text = `${policyName} (${policyPackName}): ${message}`;
      this.#diagnostics.push({ ...(resourceUrn ? { urn: resourceUrn } : {}), prefix: `${enforcementLevel}: `, message: text, severity });
    } else if ("summaryEvent" in event) this.#changes = event.summaryEvent.resourceChanges;
  }

  close(): void {
    const duration = Math.round((performance.now() - this.#startedAt) * 1e6);
    process.stdout.write(
      `${JSON.stringify({ config: this.#config, steps: this.#steps, ...(this.#diagnostics.length > 0 ? { diagnostics: this.#diagnostics } : {}), duration, changeSummary: this.#changes }, null, 4)}\n`,
    );
  }
}
