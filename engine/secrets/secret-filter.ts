/**
 * Replaces the secret values of a stack's settings in everything that an operation prints or sends: a program may have read one
 * with `require` in place of `requireSecret`, and then nothing marks it. The rules for which values count are the CLI's
 * (AddGlobalSecretFilter); the further forms of a value (base64, URL, shell, single lines of it) are those of common/redact.
 */
import { createRedactor, REDACTED } from "../../common/redact";
import type { EngineEventPayload, StepMetadata, StepStateEvent } from "../contracts";
import { isObject, isSecret, mapProperties, type PropertyMap, type Value } from "../wire/values";

/** Shorter ones, counted in bytes of UTF-8, stay as they are: hiding them would show what they are. */
const MIN_BYTES = 3;

const escapeRegExp = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
const jsonEscaped = (text: string): string => JSON.stringify(text).slice(1, -1);
/** Go's encoder escapes these too. */
const goEscaped = (text: string): string => jsonEscaped(text).replaceAll("<", "\\u003c").replaceAll(">", "\\u003e").replaceAll("&", "\\u0026");

const counts = (secret: string): boolean => Buffer.byteLength(secret) >= MIN_BYTES && !/^(true|false)$/i.test(secret);

export class SecretFilter {
  readonly #known = new Set<string>();
  #forms = createRedactor();
  #exact: RegExp | undefined;

  add(secrets: readonly string[]): void {
    for (const secret of secrets.filter(counts)) {
      for (const form of [secret, jsonEscaped(secret), goEscaped(secret)]) this.#known.add(form);
      this.#forms.register(secret);
    }
    // The longest first: a secret may begin with another one.
    const all = [...this.#known].sort((a, b) => b.length - a.length).map(escapeRegExp);
    this.#exact = all.length === 0 ? undefined : new RegExp(all.join("|"), "g");
  }

  /** For the next command of the same process, which may be about another stack. */
  forget(): void {
    this.#known.clear();
    this.#forms = createRedactor();
    this.#exact = undefined;
  }

  text(text: string): string {
    return this.#exact === undefined ? text : this.#forms.redact(text.replace(this.#exact, REDACTED));
  }

  /** Values inside a secret stay: they are masked already, or the user has asked to see them. */
  #value(value: Value): Value {
    if (typeof value === "string") return this.text(value);
    if (Array.isArray(value)) return value.map((item) => this.#value(item));
    return isObject(value) && !isSecret(value) ? this.#map(value) : value;
  }

  #map(map: PropertyMap): PropertyMap {
    return mapProperties(map, (item) => this.#value(item));
  }

  #state(state: StepStateEvent | null): StepStateEvent | null {
    if (state === null) return null;
    const { inputs, outputs, id, initErrors } = state;
    const errors = initErrors === undefined ? {} : { initErrors: initErrors.map((error) => this.text(error)) };
    return { ...state, inputs: this.#map(inputs), outputs: this.#map(outputs), id: this.text(id), ...errors };
  }

  #metadata(metadata: StepMetadata): StepMetadata {
    return { ...metadata, old: this.#state(metadata.old), new: this.#state(metadata.new) };
  }

  /** The event as it may be shown, sent and kept. */
  event(event: EngineEventPayload): EngineEventPayload {
    if (this.#exact === undefined) return event;
    if ("resourcePreEvent" in event) return { resourcePreEvent: { ...event.resourcePreEvent, metadata: this.#metadata(event.resourcePreEvent.metadata) } };
    if ("resOutputsEvent" in event) return { resOutputsEvent: { ...event.resOutputsEvent, metadata: this.#metadata(event.resOutputsEvent.metadata) } };
    if ("resOpFailedEvent" in event) return { resOpFailedEvent: { ...event.resOpFailedEvent, metadata: this.#metadata(event.resOpFailedEvent.metadata) } };
    if ("diagnosticEvent" in event) {
      const { diagnosticEvent } = event;
      return { diagnosticEvent: { ...diagnosticEvent, message: this.text(diagnosticEvent.message), prefix: this.text(diagnosticEvent.prefix) } };
    }
    if ("policyEvent" in event) return { policyEvent: { ...event.policyEvent, message: this.text(event.policyEvent.message) } };
    if ("policyRemediationEvent" in event) {
      const { policyRemediationEvent } = event;
      return {
        policyRemediationEvent: {
          ...policyRemediationEvent,
          before: this.#map(policyRemediationEvent.before),
          after: this.#map(policyRemediationEvent.after),
        },
      };
    }
    if ("stdoutEvent" in event) return { stdoutEvent: { ...event.stdoutEvent, message: this.text(event.stdoutEvent.message) } };
    if ("preludeEvent" in event)
      return { preludeEvent: { config: Object.fromEntries(Object.entries(event.preludeEvent.config).map(([key, value]) => [key, this.text(value)])) } };
    return event;
  }
}

/** The filter of this process. Output outside of an operation, like the last error of a command, goes through it too. */
export const secretFilter = new SecretFilter();
