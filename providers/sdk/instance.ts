/** One configured provider: the protocol's operations on values, independent of gRPC. */
import { setMaxListeners } from "node:events";
import { type Deadline, startDeadline } from "../../common/deadline";
import { describeError, HomelabError } from "../../common/errors";
import { diffValues } from "./diff";
import type { EngineLog } from "./engine-log";
import { packageSchema } from "./package-schema";
import { redactionOf } from "./redaction";
import type { CallContext, CheckFailure, DiffResult, ProviderDefinition, ReadResult, ResourceCall, ResourceDefinition } from "./resource";
import { PartialFailure } from "./resource";
import { OperationTimeout } from "./timeout";
import { unsendable } from "./unsendable";
import { annotateSecrets, containsUnknown, markSecrets, plainValues, sameValue, toJsonObject, UNKNOWN, type Values } from "./values";

/** Which resource a call is about. */
export interface ResourceRef {
  urn: string;
  type: string;
  name: string;
}

export interface OldState {
  inputs: Values;
  outputs: Values;
}

/** A call's context, and the end of its time. */
interface Running {
  end: Deadline["end"];
}

/** A failure with the message that is shown, from which the secrets of the call were removed. */
export class ReportedFailure extends Error {}

/** A method that this provider does not have. */
export class NotImplemented extends Error {}

export class ProviderInstance<P> {
  readonly #abort = new AbortController();
  #provider: { value: P } | undefined;
  #config: Values = {};

  constructor(
    private readonly definition: ProviderDefinition<P>,
    private readonly engineLog: EngineLog,
  ) {
    // Each running operation listens; Node would warn of a leak from the eleventh on.
    setMaxListeners(0, this.#abort.signal);
  }

  /** undefined: the provider has no schema. */
  schema(): string | undefined {
    return packageSchema(this.definition);
  }

  get version(): string {
    return this.definition.version;
  }

  /** Ends running operations with an error and refuses new ones. */
  cancel(): void {
    this.#abort.abort(new HomelabError("E_CANCELLED", "the operation was cancelled"));
  }

  async close(): Promise<void> {
    this.cancel();
    if (this.#provider !== undefined) await this.definition.close?.(this.#provider.value);
    this.engineLog.close();
  }

  checkConfig(news: Values): CheckFailure[] {
    return this.definition.checkConfig?.(plainValues(news)) ?? [];
  }

  diffConfig(olds: Values, news: Values): DiffResult {
    if (this.definition.diffConfig !== undefined) return this.definition.diffConfig(plainValues(olds), plainValues(news));
    return diffValues(olds, news, { replaceOn: this.definition.replaceOnConfig ?? [] });
  }

  async configure(urn: string, args: Values): Promise<void> {
    const known = Object.fromEntries(Object.entries(args).filter(([, value]) => !containsUnknown(value)));
    this.#config = args;
    const value = await this.#guarded([], () => this.definition.configure({ ...this.#context(urn, [], 0), urn, config: toJsonObject(known) }));
    this.#provider = { value };
  }

  async check(ref: ResourceRef, olds: Values, news: Values, randomSeed: Uint8Array): Promise<{ inputs: Values; failures: CheckFailure[] }> {
    const resource = this.#resource(ref.type);
    const previous = Object.keys(olds).length > 0 ? plainValues(olds) : undefined;
    const call = { ...this.#call(ref, [olds, news]), olds: previous, news: plainValues(news), randomSeed };
    const checked = (await this.#guarded([olds, news], async () => resource.check?.(call))) ?? { inputs: plainValues(news) };
    const inputs = markSecrets(annotateSecrets(checked.inputs, news), resource.secretInputs ?? []);
    return { inputs, failures: [...unsendable(news), ...(checked.failures ?? [])] };
  }

  async diff(ref: ResourceRef, id: string, old: OldState, news: Values, ignoreChanges: readonly string[]): Promise<DiffResult> {
    const resource = this.#resource(ref.type);
    const [oldInputs, oldOutputs, plain] = [plainValues(old.inputs), plainValues(old.outputs), plainValues(news)];
    if (resource.diff === undefined) return diffValues(oldInputs, plain, resource.update === undefined ? { replaceOn: "all" } : {});
    const diff = resource.diff.bind(resource);
    const secrets = [old.inputs, old.outputs, news];
    return this.#guarded(secrets, () => diff({ ...this.#call(ref, secrets), id, oldInputs, oldOutputs, news: plain, ignoreChanges }));
  }

  async create(ref: ResourceRef, inputs: Values, options: { timeout: number; preview: boolean }): Promise<{ id: string; outputs: Values }> {
    const resource = this.#resource(ref.type);
    const call = this.#call(ref, [inputs], options.timeout);
    if (options.preview) {
      const plain = plainValues(inputs);
      const preview = await this.#guarded([inputs], async () => resource.previewCreate?.({ ...call, inputs: plain })).finally(call.end);
      return { id: "", outputs: this.#marked(resource, preview ?? { ...plain, ...unknowns(resource.computed ?? []) }, inputs) };
    }
    const { id, outputs } = await this.#keepingPartial(resource, inputs, [inputs], () => resource.create({ ...call, inputs: toJsonObject(inputs) })).finally(
      call.end,
    );
    return { id, outputs: this.#marked(resource, outputs, inputs) };
  }

  async update(
    ref: ResourceRef,
    id: string,
    old: OldState,
    inputs: Values,
    options: { timeout: number; preview: boolean; ignoreChanges: readonly string[] },
  ): Promise<Values> {
    const resource = this.#resource(ref.type);
    if (resource.update === undefined) throw new HomelabError("E_NO_UPDATE", `${ref.type} cannot be updated, only replaced`, { subject: ref.urn });
    const secrets = [old.inputs, old.outputs, inputs];
    const call = this.#call(ref, secrets, options.timeout);
    if (options.preview) {
      const olds = { oldInputs: plainValues(old.inputs), oldOutputs: plainValues(old.outputs) };
      const plain = plainValues(inputs);
      const preview = await this.#guarded(secrets, async () => resource.previewUpdate?.({ ...call, id, ...olds, inputs: plain })).finally(call.end);
      return this.#marked(resource, preview ?? defaultUpdatePreview(resource, olds, plain), inputs);
    }
    const update = resource.update.bind(resource);
    const outputs = await this.#keepingPartial(resource, inputs, secrets, () =>
      update({
        ...call,
        ignoreChanges: options.ignoreChanges,
        id,
        oldInputs: toJsonObject(old.inputs),
        oldOutputs: toJsonObject(old.outputs),
        inputs: toJsonObject(inputs),
      }),
    ).finally(call.end);
    return this.#marked(resource, outputs, inputs);
  }

  async read(ref: ResourceRef, id: string, state: OldState): Promise<{ id: string; outputs: Values; inputs: Values } | undefined> {
    const resource = this.#resource(ref.type);
    if (resource.read === undefined) return { id, outputs: state.outputs, inputs: state.inputs };
    const read = resource.read.bind(resource);
    const secrets = [state.inputs, state.outputs];
    const call = { ...this.#call(ref, secrets), id, inputs: toJsonObject(state.inputs), outputs: toJsonObject(state.outputs) };
    try {
      const found = await this.#guarded(secrets, () => read(call));
      return found && { id: found.id, ...this.#asRead(resource, state, found) };
    } catch (thrown) {
      if (!(thrown instanceof PartialFailure)) throw thrown;
      const { outputs, inputs } = this.#asRead(resource, state, { outputs: thrown.outputs, ...(thrown.inputs ? { inputs: thrown.inputs } : {}) });
      throw new PartialFailure(thrown.id, outputs, thrown.reasons, { cause: thrown, inputs });
    }
  }

  async delete(ref: ResourceRef, id: string, state: OldState, timeout: number): Promise<void> {
    const resource = this.#resource(ref.type);
    const secrets = [state.inputs, state.outputs];
    const call = { ...this.#call(ref, secrets, timeout), id, inputs: toJsonObject(state.inputs), outputs: toJsonObject(state.outputs) };
    await this.#guarded(secrets, async () => resource.delete?.(call)).finally(call.end);
  }

  async invoke(token: string, args: Values): Promise<Values> {
    const call = { ...this.#context("", [args], 0), provider: this.#configured(), token };
    const result = await this.#guarded([args], async () => this.definition.invoke?.({ ...call, args: toJsonObject(args) }));
    if (result === undefined) throw this.unsupported(token);
    return result;
  }

  #resource(type: string): ResourceDefinition<P> {
    const resource = this.definition.resource(type);
    if (resource === undefined) throw this.unsupported(type);
    return resource;
  }

  /** The refusal of a type, a function, a component or a method. */
  unsupported(token: string): HomelabError {
    return new HomelabError("E_UNSUPPORTED", `the embedded provider ${this.definition.name} does not have ${token}; the official plugin has`, {
      hint: `install it with \`pulumi plugin install resource ${this.definition.name} v${this.definition.version}\`, or see docs/providers.md for what is supported`,
    });
  }

  #configured(): P {
    if (this.#provider === undefined) throw new Error(`the provider ${this.definition.name} was asked for something before it was configured`);
    return this.#provider.value;
  }

  /** @param secrets the call's values: what is marked as secret in them is kept out of log lines */
  #context(urn: string, secrets: readonly Values[], timeoutSeconds: number): CallContext & Running {
    this.#abort.signal.throwIfAborted();
    const { signal, end } =
      timeoutSeconds > 0
        ? startDeadline(this.#abort.signal, timeoutSeconds * 1000, () => new OperationTimeout(timeoutSeconds))
        : { signal: this.#abort.signal, end: () => undefined };
    const redact = redactionOf(this.#config, ...secrets);
    return {
      signal,
      end,
      log: (severity, message, options) => this.engineLog.log(severity, redact(message), { urn, ...options }),
    };
  }

  #call(ref: ResourceRef, secrets: readonly Values[], timeoutSeconds = 0): ResourceCall<P> & Running {
    const limit = { timeoutSeconds: timeoutSeconds > 0 ? timeoutSeconds : undefined };
    return { ...this.#context(ref.urn, secrets, timeoutSeconds), ...ref, ...limit, provider: this.#configured() };
  }

  async #guarded<T>(secrets: readonly Values[], work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (thrown) {
      const redact = redactionOf(this.#config, ...secrets);
      if (thrown instanceof PartialFailure) throw redacted(thrown, redact);
      throw new ReportedFailure(redact(describeError(thrown)), { cause: thrown });
    }
  }

  /** Outputs may hold the inputs once more, under `__inputs`. */
  #marked(resource: ResourceDefinition<P>, outputs: Values, inputs: Values): Values {
    return markSecrets(annotateSecrets(outputs, { ...inputs, __inputs: inputs }), resource.secretOutputs ?? []);
  }

  /** The outputs of a partial failure get their secret markers too. */
  async #keepingPartial<T>(resource: ResourceDefinition<P>, inputs: Values, secrets: readonly Values[], work: () => Promise<T>): Promise<T> {
    try {
      return await this.#guarded(secrets, work);
    } catch (thrown) {
      if (!(thrown instanceof PartialFailure)) throw thrown;
      throw new PartialFailure(thrown.id, this.#marked(resource, thrown.outputs, inputs), thrown.reasons, { cause: thrown });
    }
  }

  /** What was read, with the markers that the state had. */
  #asRead(resource: ResourceDefinition<P>, state: OldState, found: Pick<ReadResult, "outputs" | "inputs">): { outputs: Values; inputs: Values } {
    const outputs = this.#marked(resource, annotateSecrets(found.outputs, state.outputs), state.inputs);
    if (found.inputs === undefined) return { outputs, inputs: state.inputs };
    return { outputs, inputs: markSecrets(annotateSecrets(found.inputs, state.inputs), resource.secretInputs ?? []) };
  }
}

const redacted = ({ id, outputs, inputs, reasons }: PartialFailure, redact: (text: string) => string): PartialFailure =>
  new PartialFailure(id, outputs, reasons.map(redact), inputs === undefined ? {} : { inputs });

const unknowns = (names: readonly string[]): Values => Object.fromEntries(names.map((name) => [name, UNKNOWN]));

/** The old outputs, overwritten by the new inputs, without inputs that are gone. */
function defaultUpdatePreview<P>(resource: ResourceDefinition<P>, olds: { oldInputs: Values; oldOutputs: Values }, inputs: Values): Values {
  const kept = Object.entries(olds.oldOutputs).filter(([key, value]) => !(key in olds.oldInputs) || key in inputs || !sameValue(value, olds.oldInputs[key]));
  return { ...Object.fromEntries(kept), ...inputs, ...unknowns(resource.computedOnUpdate ?? []) };
}
