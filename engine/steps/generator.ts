/**
 * Turns registrations into steps. Called one registration at a time, in the order in which the program makes them; reads the
 * old state and asks providers to check and to compare, and changes nothing. Source of the rules: engine-contract F.
 */
import { randomBytes } from "node:crypto";
import type { DeploymentContext } from "../deployment/context";
import { DeploymentError } from "../errors";
import type { Goal, ReadGoal } from "../monitor/goal";
import { newProviderId, withoutInternal } from "../providers/registry";
import { emptyState, type ResourceState } from "../snapshot/types";
import { resetPaths } from "../wire/paths";
import { isProviderType, parseProviderReference, STACK_TYPE, urnName } from "../wire/urn";
import { flattenOutputs, isUnknown, type PropertyMap } from "../wire/values";
import { decide, replaceBecause, type Verdict } from "./diffing";
import { dependentReplacements } from "./replacement";
import { makeStep, type Step } from "./step";

/** The provider found the inputs wrong; its failures were shown. Others go on, and the run fails at its end. */
export class CheckFailed extends Error {}

export class StepGenerator {
  readonly #olds: Map<string, ResourceState>;
  /** URNs that the program registered or read, and the states that they became. */
  readonly registered = new Map<string, ResourceState>();
  /** Old URNs that live on under a new one, and the way back. */
  readonly aliased = new Map<string, string>();
  readonly #oldUrnOf = new Map<string, string>();
  /** Deleted in this run before their replacement: what is registered again is created. */
  readonly #deleted = new Map<string, string[]>();
  /** Old states that were replaced first and are to be deleted at the end. */
  readonly replacedFirst: ResourceState[] = [];
  readonly #skipped = new Set<string>();
  readonly #replaced = new Set<string>();
  checkFailures = 0;

  constructor(private readonly ctx: DeploymentContext) {
    this.#olds = new Map(ctx.base.filter((r) => !r.delete).map((r) => [r.urn, r]));
  }

  old(urn: string): ResourceState | undefined {
    return this.#olds.get(urn);
  }

  /** The old URN of a resource that was found by an alias. */
  formerUrn(urn: string): string | undefined {
    return this.#oldUrnOf.get(urn);
  }

  #findOld(goal: Goal): ResourceState | undefined {
    for (const urn of [goal.urn, ...goal.aliases]) {
      const old = this.#olds.get(urn);
      if (old === undefined) continue;
      if (urn !== goal.urn) {
        const owner = this.aliased.get(urn);
        if (owner !== undefined || this.registered.has(urn)) {
          throw new DeploymentError(
            `Duplicate resource alias '${urn}' applied to resource with URN '${goal.urn}' conflicting with resource with URN '${owner ?? urn}'`,
            goal.urn,
          );
        }
        this.aliased.set(urn, goal.urn);
        this.#oldUrnOf.set(goal.urn, urn);
      }
      return old;
    }
    return undefined;
  }

  async register(goal: Goal): Promise<Step[]> {
    if (this.aliased.has(goal.urn)) {
      throw new DeploymentError(`Duplicate resource URN '${goal.urn}'; try giving it a unique name`, goal.urn);
    }
    const old = this.#findOld(goal);
    if (!this.ctx.targets.includes(goal.urn)) return this.#untargeted(goal, old);
    this.#refuseSkippedNeeds(goal);
    const wanted = goal.custom ? { ...goal, inputs: flattenOutputs(goal.inputs) } : goal;
    if (this.#wantsImport(wanted, old)) return this.#import(wanted, old);
    return this.#plan(wanted, old);
  }

  #wantsImport(goal: Goal, old: ResourceState | undefined): boolean {
    if (goal.importId === undefined) return false;
    return old === undefined || old.external || goal.importId !== (old.importId ?? old.id);
  }

  /** A resource outside the targets stays as it is; a new one is left out. */
  #untargeted(goal: Goal, old: ResourceState | undefined): Step[] {
    if (old === undefined) {
      const state = this.#newState(goal, goal.inputs, undefined);
      this.registered.set(goal.urn, state);
      this.#skipped.add(goal.urn);
      return [makeStep("same", { urn: goal.urn, type: goal.type, new: state, skippedCreate: true })];
    }
    const state: ResourceState = { ...old, urn: goal.urn };
    this.registered.set(goal.urn, state);
    return [makeStep("same", { urn: goal.urn, type: goal.type, old, new: state, provider: old.provider })];
  }

  #refuseSkippedNeeds(goal: Goal): void {
    const skipped = [...goal.dependencies, ...(goal.parent ? [goal.parent] : []), ...(goal.deletedWith ? [goal.deletedWith] : [])].find((urn) =>
      this.#skipped.has(urn),
    );
    if (skipped === undefined) return;
    throw new DeploymentError(`Resource '${goal.urn}' depends on '${skipped}' which was was not specified in --target list.`, goal.urn);
  }

  async #plan(goal: Goal, old: ResourceState | undefined): Promise<Step[]> {
    const recreated = this.#deleted.get(goal.urn);
    const pending = recreated !== undefined || old?.pendingReplacement === true;
    const usable = old !== undefined && !pending && !(old.external && goal.custom) ? old : undefined;
    const forced = usable !== undefined && this.ctx.targets.replaces(goal.urn);
    const news = usable && goal.ignoreChanges.length > 0 ? resetPaths(goal.inputs, usable.inputs, goal.ignoreChanges) : goal.inputs;
    const seed = randomBytes(32);
    const inputs = await this.#check(goal, usable && !forced ? usable.inputs : {}, news, seed);
    const { urn, type } = goal;

    if (old !== undefined && pending) {
      const state = this.#register(goal, inputs, undefined);
      const keys = recreated ?? [];
      return [
        makeStep("replace", { urn, type, old, new: state }),
        makeStep("create-replacement", { urn, type, old, new: state, keys, provider: goal.provider }),
      ];
    }
    if (old !== undefined && usable === undefined) {
      const state = this.#register(goal, inputs, undefined);
      this.#replaced.add(urn);
      this.replacedFirst.push(old);
      return [makeStep("create-replacement", { urn, type, old, new: state, provider: goal.provider }), makeStep("replace", { urn, type, old, new: state })];
    }
    if (usable === undefined) {
      const state = this.#register(goal, inputs, undefined);
      return [makeStep("create", { urn, type, new: state, provider: goal.provider })];
    }
    const verdict = await this.#decide(goal, usable, inputs);
    const facts = {
      urn,
      type,
      old: usable,
      provider: goal.provider,
      keys: verdict.keys,
      diffs: verdict.diffs,
      detailedDiff: verdict.detailedDiff,
      ignoreChanges: goal.ignoreChanges,
    };
    if (verdict.action === "replace") return this.#replace(goal, usable, verdict, seed, forced, inputs, facts);
    const state = this.#register(goal, inputs, usable);
    if (verdict.action === "same") return [makeStep("same", { urn, type, old: usable, new: state, provider: goal.provider })];
    return [makeStep("update", { ...facts, new: state })];
  }

  async #decide(goal: Goal, old: ResourceState, inputs: PropertyMap): Promise<Verdict> {
    if (goal.custom && goal.deletedWith !== undefined && this.#replaced.has(goal.deletedWith)) return replaceBecause("deletedWith");
    return decide(this.ctx, old, goal, inputs, this.#oldUrnOf);
  }

  async #replace(
    goal: Goal,
    old: ResourceState,
    verdict: Verdict,
    seed: Uint8Array,
    checkedFresh: boolean,
    inputs: PropertyMap,
    facts: Omit<Step, "op" | "new">,
  ): Promise<Step[]> {
    if (old.protect && goal.protect) {
      throw new DeploymentError(
        `unable to replace resource "${goal.urn}"\nas it is currently marked for protection. To unprotect the resource, remove the \`protect\` flag from the resource in your Pulumi program and run \`pulumi up\``,
        goal.urn,
      );
    }
    const { urn } = goal;
    const fresh = checkedFresh
      ? inputs
      : await this.#check(goal, {}, goal.ignoreChanges.length > 0 ? resetPaths(goal.inputs, old.inputs, goal.ignoreChanges) : goal.inputs, seed);
    this.#replaced.add(urn);
    if (!(goal.deleteBeforeReplace ?? verdict.deleteBeforeReplace)) {
      const state = this.#register(goal, fresh, undefined);
      this.replacedFirst.push(old);
      return [makeStep("create-replacement", { ...facts, new: state }), makeStep("replace", { ...facts, new: state })];
    }
    const deletions: Step[] = [];
    for (const { state, keys } of (await dependentReplacements(this.ctx, old)).reverse()) {
      if (this.#deleted.has(state.urn) || this.registered.has(state.urn)) continue;
      if (state.protect)
        throw new DeploymentError(`unable to replace resource "${state.urn}" as part of replacing "${urn}"\nas it is currently marked for protection`, urn);
      this.#deleted.set(state.urn, keys);
      this.#replaced.add(state.urn);
      deletions.push(makeStep("delete-replaced", { urn: state.urn, type: state.type, old: state, provider: state.provider, keepsPending: true }));
    }
    deletions.push(
      makeStep("delete-replaced", { urn: old.urn, type: old.type, old, provider: old.provider, keepsPending: true, ...this.#withoutProvider(old) }),
    );
    this.#deleted.set(urn, verdict.keys);
    const state = this.#register(goal, fresh, undefined);
    return [...deletions, makeStep("replace", { ...facts, new: state }), makeStep("create-replacement", { ...facts, new: state })];
  }

  #withoutProvider(old: ResourceState): Partial<Step> {
    return old.retainOnDelete || !old.custom || isProviderType(old.type) ? { withoutProvider: true } : {};
  }

  async #check(goal: Goal, olds: PropertyMap, news: PropertyMap, seed: Uint8Array): Promise<PropertyMap> {
    if (!goal.custom) return news;
    const ref = { urn: goal.urn, type: goal.type, name: urnName(goal.urn) };
    const { inputs, failures } = isProviderType(goal.type)
      ? await this.ctx.registry.check(goal.urn, olds, news)
      : await (async () => {
          const client = await this.ctx.registry.get(goal.provider ?? "");
          return client.configured ? client.check(ref, olds, news, seed) : { inputs: news, failures: [] };
        })();
    if (failures.length === 0) return inputs;
    for (const { property, reason } of failures) {
      const value = JSON.stringify(news[property] ?? null);
      const what =
        property === ""
          ? `${goal.type} resource '${goal.name}' has a problem: ${reason}`
          : `${goal.type} resource '${goal.name}': property ${property} value {${value}} has a problem: ${reason}`;
      this.ctx.events.diagnostic("error", what, goal.urn);
    }
    this.checkFailures++;
    throw new CheckFailed(`${goal.urn} has wrong inputs`);
  }

  #newState(goal: Goal, inputs: PropertyMap, old: ResourceState | undefined): ResourceState {
    const provider = isProviderType(goal.type);
    return {
      ...emptyState(goal.urn, goal.type, goal.custom),
      id: provider ? (old?.id ?? newProviderId(this.ctx.preview)) : old?.id,
      inputs,
      outputs: provider ? withoutInternal(inputs) : (old?.outputs ?? {}),
      parent: goal.parent,
      protect: goal.protect,
      dependencies: goal.dependencies,
      propertyDependencies: goal.propertyDependencies,
      provider: goal.provider,
      additionalSecretOutputs: goal.additionalSecretOutputs,
      customTimeouts: goal.customTimeouts,
      importId: goal.importId,
      retainOnDelete: goal.retainOnDelete,
      deletedWith: goal.deletedWith,
      created: old?.created,
      modified: old?.modified,
      sourcePosition: goal.sourcePosition,
      ignoreChanges: goal.ignoreChanges,
      replaceOnChanges: goal.replaceOnChanges,
      hideDiff: goal.hideDiffs,
      unknownFields: old?.unknownFields ?? {},
    };
  }

  #register(goal: Goal, inputs: PropertyMap, old: ResourceState | undefined): ResourceState {
    const state = this.#newState(goal, inputs, old);
    this.registered.set(goal.urn, state);
    return state;
  }

  /** First half of an import: read; the executor reads, then {@link afterImport} compares with the program's inputs. */
  #import(goal: Goal, old: ResourceState | undefined): Step[] {
    const state = { ...this.#newState(goal, goal.inputs, undefined), id: goal.importId, importId: goal.importId };
    this.registered.set(goal.urn, state);
    const { urn, type } = goal;
    if (old !== undefined && !old.external) {
      this.replacedFirst.push(old);
      return [makeStep("import-replacement", { urn, type, old, new: state, provider: goal.provider }), makeStep("replace", { urn, type, old, new: state })];
    }
    return [makeStep("import", { urn, type, ...(old ? { old } : {}), new: state, provider: goal.provider })];
  }

  /** Second half of an import: the program's inputs against what was read. A difference is an update in the same run. */
  async afterImport(goal: Goal, imported: ResourceState): Promise<Step[]> {
    const wanted = { ...goal, inputs: flattenOutputs(goal.inputs) };
    const news = goal.ignoreChanges.length > 0 ? resetPaths(wanted.inputs, imported.inputs, goal.ignoreChanges) : wanted.inputs;
    const inputs = await this.#check(wanted, imported.inputs, news, randomBytes(32));
    const verdict = await this.#decide(wanted, imported, inputs);
    if (verdict.action === "replace") {
      throw new DeploymentError(
        `previously-imported resources that still specify an ID may not be replaced; please remove the \`import\` declaration from your program; ${verdict.keys.join(", ")} changed`,
        goal.urn,
      );
    }
    if (verdict.action === "same") return [];
    const state = { ...this.#newState(wanted, inputs, imported), importId: goal.importId };
    this.registered.set(goal.urn, state);
    return [
      makeStep("update", {
        urn: goal.urn,
        type: goal.type,
        old: imported,
        new: state,
        provider: goal.provider,
        keys: verdict.keys,
        diffs: verdict.diffs,
        detailedDiff: verdict.detailedDiff,
        ignoreChanges: goal.ignoreChanges,
      }),
    ];
  }

  async read(goal: ReadGoal): Promise<Step[]> {
    const { urn, type } = goal;
    const state: ResourceState = {
      ...emptyState(urn, type, true),
      id: goal.id,
      external: true,
      inputs: flattenOutputs(goal.inputs),
      parent: goal.parent,
      dependencies: goal.dependencies,
      provider: goal.provider,
      additionalSecretOutputs: goal.additionalSecretOutputs,
      sourcePosition: goal.sourcePosition,
    };
    this.registered.set(urn, state);
    const old = this.#olds.get(urn);
    if (old !== undefined && !old.external && old.id !== goal.id && !isUnknown(goal.id)) {
      this.replacedFirst.push(old);
      return [makeStep("read-replacement", { urn, type, old, new: state, provider: goal.provider }), makeStep("replace", { urn, type, old, new: state })];
    }
    return [makeStep("read", { urn, type, ...(old ? { old } : {}), new: state, provider: goal.provider })];
  }

  /** The inputs of a provider that this run registered. */
  providerInputs(reference: string): PropertyMap {
    return this.registered.get(parseProviderReference(reference).urn)?.inputs ?? {};
  }

  /** Whether an old entry lives on in this run. */
  survives(state: ResourceState): boolean {
    return this.registered.has(state.urn) || this.aliased.has(state.urn);
  }
}

export const isRootStack = (type: string): boolean => type === STACK_TYPE;
