/**
 * The policy packs of one run (`--policy-pack`). After its check, each registration is given to all packs twice: first each may change
 * it (remediation), then each judges the result. At the end they judge the whole stack. Order and consequences are the CLI's
 * (step_generator, analyzeAll).
 */
import type { EventLog } from "../deployment/events";
import { CheckFailed, DeploymentError } from "../errors";
import type { Goal } from "../monitor/goal";
import type { ResourceState } from "../snapshot/types";
import { withAssetHashes } from "../wire/assets";
import { annotateSecrets, containsSecrets, type PropertyMap } from "../wire/values";
import type { AnalyzedResource, Findings, StackResource, Violation } from "./analysis";
import { type LoadedPack, type PackSource, startPack } from "./pack";

export interface PolicyRun extends Omit<PackSource, "given"> {
  /** In the order of the flags. */
  packs: readonly { path: string; config: string | undefined }[];
  preview: boolean;
  events: Pick<EventLog, "policyLoad" | "policyViolation" | "policyRemediation" | "policySummary">;
  /** Called when a violation that fails the run at its end was shown. */
  failed(): void;
}

export interface Registration {
  goal: Goal;
  /** The inputs after the provider's check. */
  inputs: PropertyMap;
  provider: ResourceState | undefined;
  /** The packs have judged this registration, and only change its inputs again after a second check. Nothing is reported. */
  again?: boolean;
}

function analyzed({ goal, inputs, provider }: Registration): AnalyzedResource {
  const { urn, type, protect, ignoreChanges, deleteBeforeReplace, additionalSecretOutputs, aliases, customTimeouts, parent } = goal;
  return {
    ...{ urn, type, properties: inputs, protect, ignoreChanges, deleteBeforeReplace, additionalSecretOutputs, aliases, parent },
    customTimeouts: customTimeouts ?? {},
    provider: provider && { urn: provider.urn, type: provider.type, inputs: provider.inputs },
  };
}

export class Policies {
  #packs: readonly LoadedPack[] = [];
  /** Options of a registration that the state does not keep, for policies of the stack. */
  readonly #goals = new Map<string, Pick<Goal, "deleteBeforeReplace" | "aliases">>();

  /** Properties with secrets that packs were given. Their messages may contain these secrets. */
  readonly #told = new Set<PropertyMap>();

  constructor(private readonly run: PolicyRun) {}

  #redact(text: string): string {
    return this.run.redact(text, [...this.#told]);
  }

  get any(): boolean {
    return this.run.packs.length > 0;
  }

  /** Name and version of each, for the summary. */
  get names(): Record<string, string> {
    return Object.fromEntries(this.#packs.map(({ name, version, path }) => [`${name}|local|${path}`, version]));
  }

  /** Starts the packs. @throws DeploymentError that names the pack that cannot be used */
  async load(): Promise<void> {
    const starting = this.run.packs.map((given) => {
      this.run.events.policyLoad();
      const redact = (text: string): string => this.#redact(text);
      return startPack({ ...this.run, given, redact, onLog: (line, stream) => this.run.onLog(redact(line), stream) });
    });
    const started = await Promise.allSettled(starting);
    this.#packs = started.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    for (const one of started) if (one.status === "rejected") throw one.reason;
  }

  /**
   * Lets the packs change a registration's inputs and judge the result.
   * @returns the inputs that count from now on
   * @throws CheckFailed where an update must not go on; the violations were shown
   */
  async inspect(registration: Registration): Promise<PropertyMap> {
    if (!this.any) return registration.inputs;
    const { goal } = registration;
    this.#goals.set(goal.urn, goal);
    const inputs = await this.#remediate(registration);
    const resource = analyzed({ ...registration, inputs });
    if (registration.again === true) return inputs;
    const found = await Promise.all(this.#packs.map((pack) => this.#asked(goal.urn, "run policy", () => pack.client.analyze(resource))));
    const verdicts = this.#packs.map((pack, at) => this.#judge(pack, found[at], goal.urn, () => goal.urn));
    if (verdicts.includes(true) && !this.run.preview) throw new CheckFailed(`${goal.urn} violates a mandatory policy`);
    return inputs;
  }

  /** One pack after the other: each sees what those before it have changed. */
  async #remediate(registration: Registration): Promise<PropertyMap> {
    const { goal, again = false } = registration;
    let { inputs } = registration;
    if (containsSecrets(inputs)) this.#told.add(inputs);
    for (const pack of this.#packs) {
      const resource = analyzed({ ...registration, inputs });
      const { remediations, notApplicable } = await this.#asked(goal.urn, "run remediation", () => pack.client.remediate(resource));
      for (const { policy, diagnostic, properties } of remediations) {
        if (diagnostic !== "") {
          if (!again) this.#show(pack, { policy, message: diagnostic, level: "advisory", severity: undefined, urn: goal.urn }, goal.urn);
          continue;
        }
        // A policy that builds its answer anew loses the marks of secrets.
        const changed = annotateSecrets(withAssetHashes(properties, this.run.programDir), inputs);
        if (!again) this.run.events.policyRemediation({ policy, pack: pack.name, version: pack.version, urn: goal.urn, before: inputs, after: changed });
        inputs = changed;
        if (containsSecrets(inputs)) this.#told.add(inputs);
      }
      const failed = remediations.map(({ policy }) => policy);
      if (!again) this.run.events.policySummary("remediate", pack.summary("resource", failed, notApplicable), goal.urn);
    }
    return inputs;
  }

  /** @param resources what this run has registered, in that order. @returns once all violations were shown */
  async judgeStack(root: string, resources: readonly { state: ResourceState; provider: ResourceState | undefined }[]): Promise<void> {
    if (!this.any) return;
    const urns = new Set(resources.map(({ state }) => state.urn));
    for (const { state } of resources) if (containsSecrets(state.outputs)) this.#told.add(state.outputs);
    const shown = resources.map(({ state, provider }) => this.#stackResource(state, provider));
    const found = await Promise.all(this.#packs.map((pack) => this.#asked(undefined, "run policy", () => pack.client.analyzeStack(shown))));
    this.#packs.map((pack, at) => this.#judge(pack, found[at], undefined, (urn) => (urns.has(urn) ? urn : root)));
  }

  #stackResource(state: ResourceState, provider: ResourceState | undefined): StackResource {
    const { urn, type, outputs, protect, ignoreChanges, additionalSecretOutputs, customTimeouts, parent, dependencies } = state;
    const goal = this.#goals.get(urn);
    return {
      ...{ urn, type, properties: outputs, protect, ignoreChanges, additionalSecretOutputs, parent, dependencies },
      customTimeouts: customTimeouts ?? {},
      deleteBeforeReplace: goal?.deleteBeforeReplace,
      aliases: goal?.aliases ?? [],
      provider: provider && { urn: provider.urn, type: provider.type, inputs: provider.inputs },
      propertyDependencies: state.propertyDependencies ?? {},
    };
  }

  /** @returns whether a mandatory policy is violated. @param urn of the resource that was judged; undefined: the stack */
  #judge(pack: LoadedPack, found: Findings | undefined, urn: string | undefined, about: (urn: string) => string): boolean {
    const { violations, notApplicable } = found ?? { violations: [], notApplicable: [] };
    // A violation that is left after the remediation counts as mandatory.
    const judged = violations.map((one): Violation => (one.level === "remediate" ? { ...one, level: "mandatory" } : one));
    for (const violation of judged) this.#show(pack, violation, about(violation.urn));
    const failed = judged.map(({ policy }) => policy);
    this.run.events.policySummary("analyze", pack.summary(urn === undefined ? "stack" : "resource", failed, notApplicable), urn);
    const bad = judged.some(({ level }) => level === "mandatory");
    // In an update, the resource is refused, and that fails the run already.
    if (bad && (this.run.preview || urn === undefined)) this.run.failed();
    return bad;
  }

  #show(pack: LoadedPack, violation: Violation, urn: string): void {
    const severity = violation.severity ?? pack.severities.get(violation.policy);
    const message = this.#redact(violation.message);
    this.run.events.policyViolation({ ...violation, message, severity, urn, pack: pack.name, version: pack.version });
  }

  async #asked<T>(urn: string | undefined, what: string, ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (thrown) {
      if (thrown instanceof DeploymentError) throw new DeploymentError(`failed to ${what}: ${thrown.message}`, urn);
      throw thrown;
    }
  }

  kill(): void {
    for (const { client } of this.#packs) client.kill();
  }

  async close(): Promise<void> {
    await Promise.all(this.#packs.map(({ client }) => client.stop()));
  }
}
