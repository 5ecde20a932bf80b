/**
 * Turns registrations into steps. Called one registration at a time, in the order in which the program makes them; reads the
 * old state and asks providers to check and to compare, and changes nothing. Source of the rules: engine-contract F.
 */
import { randomBytes } from "node:crypto";
import type { DeploymentContext } from "../deployment/context";
import { CheckFailed, DeploymentError } from "../errors";
import type { Goal, ReadGoal } from "../monitor/goal";
import { needsOf, type ResourceState } from "../snapshot/types";
import { resetPaths } from "../wire/paths";
import { isProviderType, parseProviderReference, STACK_TYPE } from "../wire/urn";
import { containsUnknowns, flattenOutputs, type PropertyMap, shownText } from "../wire/values";
import { checkInputs, withIgnored } from "./checking";
import { decide, type Verdict } from "./diffing";
import { goalState, readState, withoutMissing } from "./goal-state";
import { LimitedRun } from "./limited-run";
import { deletionsFirst } from "./replacement";
import { makeStep, type Step } from "./step";

export class StepGenerator {
  readonly #olds: Map<string, ResourceState>;
  /** URNs that the program registered or read, and the states that they became. */
  readonly registered = new Map<string, ResourceState>();
  /** Old URN to the new one under which the resource continues; and below, the other way round. */
  readonly aliased = new Map<string, string>();
  readonly #oldUrnOf = new Map<string, string>();
  /** URNs that were deleted in this run before their replacement, with the keys that forced it. Registering one of them creates it. */
  readonly #deleted = new Map<string, string[]>();
  readonly #replaced = new Set<string>();
  readonly #limited: LimitedRun;

  /** In a refresh by the program: the entry that {@link refresh} has found; later, the state that was read. */
  readonly #found = new Map<string, { old: ResourceState | undefined; invalid: boolean }>();

  constructor(private readonly ctx: DeploymentContext) {
    this.#olds = new Map(ctx.base.filter((r) => !r.delete).map((r) => [r.urn, r]));
    this.#limited = new LimitedRun(ctx, { olds: this.#olds, registered: this.registered, aliased: this.aliased, deleted: this.#deleted });
  }

  /** The old URN of a resource that was found by an alias. */
  formerUrn(urn: string): string | undefined {
    return this.#oldUrnOf.get(urn);
  }

  /** `invalid`: the reason was shown. The inputs are still checked, and then the run ends. */
  #findOld(goal: Pick<Goal, "urn" | "aliases">): { old: ResourceState | undefined; invalid: boolean } {
    let invalid = false;
    const complain = (message: string): void => {
      this.ctx.events.diagnostic("error", message, goal.urn);
      invalid = true;
    };
    const claimed = this.aliased.get(goal.urn);
    if (claimed !== undefined) complain(`Duplicate resource URN '${goal.urn}' conflicting with alias on resource with URN '${claimed}'`);
    this.#limited.refuseCarried(goal.urn);
    for (const urn of [goal.urn, ...goal.aliases]) {
      const old = this.#olds.get(urn);
      if (old === undefined) continue;
      if (urn !== goal.urn) {
        const owner = this.aliased.get(urn);
        if (owner !== undefined || this.registered.has(urn) || this.#limited.carries(urn)) {
          complain(`Duplicate resource alias '${urn}' applied to resource with URN '${goal.urn}' conflicting with resource with URN '${owner ?? goal.urn}'`);
        } else {
          this.aliased.set(urn, goal.urn);
          this.#oldUrnOf.set(goal.urn, urn);
        }
      }
      return { old, invalid };
    }
    return { old: undefined, invalid };
  }

  /** For a refresh that runs the program: the step that reads the existing resource, before {@link register}. */
  refresh(goal: Goal): Step[] {
    this.#requireParent(goal);
    const found = this.#findOld(goal);
    this.#found.set(goal.urn, found);
    const { old, invalid } = found;
    // A resource that became a component, or the other way round, cannot be read as what it is now.
    if (old === undefined || invalid || old.custom !== goal.custom || !this.ctx.targets.admit(old.urn, needsOf(old))) return [];
    const wanted = withoutMissing(goalState({ ...goal, inputs: old.inputs }, old.inputs, old, this.ctx.preview), old, this.#limited.leftOut);
    return this.#limited.withCarried([makeStep("refresh", { urn: goal.urn, type: goal.type, old, new: wanted, provider: wanted.provider })]);
  }

  /** State that the step of {@link refresh} has read; undefined: the object no longer exists. */
  refreshed(urn: string, state: ResourceState | undefined): void {
    this.#found.set(urn, { old: state, invalid: false });
  }

  async register(goal: Goal): Promise<Step[]> {
    this.#requireParent(goal);
    const { old, invalid } = this.#found.get(goal.urn) ?? this.#findOld(goal);
    const wanted = { ...goal, inputs: flattenOutputs(goal.inputs) };
    if (this.#refreshes && !invalid) {
      const steps = this.#afterRefresh(wanted, old);
      if (steps !== undefined) return steps;
    }
    if (this.#destroys && !invalid) {
      const steps = this.#beforeDestruction(wanted, old);
      if (steps !== undefined) return steps;
    }
    if (invalid) {
      const inputs = old === undefined ? wanted.inputs : resetPaths(wanted.inputs, old.inputs, goal.ignoreChanges);
      await checkInputs(this.ctx, wanted, old?.inputs ?? {}, inputs, randomBytes(32));
      throw new CheckFailed(`${goal.urn} is invalid`);
    }
    if (this.#wantsImport(wanted, old)) return this.#limited.withCarried(this.#import(wanted, old));
    return this.#plan(wanted, old);
  }

  get #refreshes(): boolean {
    return this.ctx.request.kind === "refresh" || this.ctx.request.previewOf === "refresh";
  }

  /** In a refresh that runs the program, components and providers take the program's values; all other resources were only read. */
  #afterRefresh(goal: Goal, old: ResourceState | undefined): Step[] | undefined {
    const state = goalState(goal, goal.inputs, old, this.ctx.preview);
    if (!this.#limited.lacks(state) && !(goal.custom && !isProviderType(goal.type))) return undefined;
    if (old === undefined) return this.#skip(goal);
    this.registered.set(goal.urn, old);
    return [];
  }

  get #destroys(): boolean {
    return this.ctx.request.kind === "destroy" || this.ctx.request.previewOf === "destroy";
  }

  /** In a destroy that runs the program, a registration changes nothing: an existing resource stays until it is deleted, a missing one is skipped. */
  #beforeDestruction(goal: Goal, old: ResourceState | undefined): Step[] | undefined {
    const state = goalState(goal, goal.inputs, old, this.ctx.preview);
    const managed = goal.custom && !isProviderType(goal.type);
    if (this.#limited.lacks(state) || (managed && old === undefined)) return this.#skip(goal, old?.outputs);
    if (!managed || old === undefined) return undefined;
    const kept = this.#register(goal, old.inputs, old);
    return [makeStep("same", { urn: goal.urn, type: goal.type, old, new: kept, provider: goal.provider })];
  }

  #requireParent(goal: { urn: string; parent: string | undefined }): void {
    if (goal.parent === undefined || this.registered.has(goal.parent) || this.#limited.carries(goal.parent)) return;
    // The parent of an import may be a resource that is only in the state.
    if (this.ctx.request.program?.kind === "imports" && this.#olds.has(goal.parent)) return;
    throw new DeploymentError(`could not find parent resource ${goal.parent}`, goal.urn);
  }

  #wantsImport(goal: Goal, old: ResourceState | undefined): boolean {
    if (!goal.custom || goal.importId === undefined) return false;
    return old === undefined || old.external || goal.importId !== (old.importId ?? old.id);
  }

  /** The seed for automatic names. The plan's seed gives the planned names again. */
  #seed(urn: string): Buffer {
    return this.ctx.foresight.seed(urn) ?? this.ctx.plan.seed(urn) ?? randomBytes(32);
  }

  #wantsReplacement(urn: string, old: ResourceState | undefined): boolean {
    return this.ctx.targets.replaces(urn) || old?.taint === true;
  }

  async #plan(goal: Goal, old: ResourceState | undefined): Promise<Step[]> {
    const { urn, type } = goal;
    const implicit = isProviderType(type) || type === STACK_TYPE;
    const admitted = this.ctx.targets.admit(urn, needsOf(goalState(goal, {}, undefined, this.ctx.preview)));
    const recreating = this.#deleted.get(urn);
    const included = admitted || implicit;
    const usable = old !== undefined && recreating === undefined && !old.external ? old : undefined;
    const kept = usable === undefined ? goal.inputs : withIgnored(this.ctx, goal, usable.inputs);
    const fresh = usable === undefined || this.#wantsReplacement(urn, usable);
    const seed = this.#seed(urn);
    if (!included && recreating === undefined && !old?.external) {
      // A resource that the limits leave alone is not checked.
      const unchecked = goal.custom ? (old?.inputs ?? {}) : kept;
      this.ctx.plan.goal({ goal, old, fresh, inputs: unchecked, seed });
      // Policies judge it as it is; what they would change is ignored.
      if (old !== undefined) await this.#inspect(goal, unchecked);
      return old === undefined ? this.#skip(goal) : this.#limited.keep(urn, old);
    }
    // A resource that must be recreated although no target names it is recreated with its previous inputs.
    const right = included || old === undefined ? await checkInputs(this.ctx, goal, fresh ? {} : usable.inputs, fresh ? goal.inputs : kept, seed) : old.inputs;
    this.ctx.plan.goal({ goal, old, fresh, inputs: goal.custom ? right : kept, seed });
    const checked = await this.#inspect(goal, right);

    if (old !== undefined && usable === undefined) {
      const state = this.#register(goal, checked, undefined);
      const facts = { urn, type, old, new: state };
      if (recreating === undefined)
        return this.#limited.withCarried([makeStep("create-replacement", { ...facts, provider: goal.provider, keepsOld: true }), makeStep("replace", facts)]);
      this.#deleted.delete(urn);
      this.#replaced.add(urn);
      return this.#limited.withCarried([makeStep("replace", facts), makeStep("create-replacement", { ...facts, keys: recreating, provider: goal.provider })]);
    }
    if (usable === undefined) {
      const state = this.#register(goal, checked, undefined);
      return this.#limited.withCarried([makeStep("create", { urn, type, new: state, provider: goal.provider })]);
    }
    // Policies have the last word on a component's inputs too.
    const inputs = goal.custom || checked !== right ? checked : kept;
    return this.#limited.withCarried(await this.#fromDifference(goal, usable, inputs, checked, seed));
  }

  /**
   * The inputs after the policy packs' remediations.
   * @param again the packs have judged this registration already, and only change its inputs once more
   */
  #inspect(goal: Goal, inputs: PropertyMap, again = false): Promise<PropertyMap> {
    return this.ctx.policies.inspect({ goal, inputs, provider: this.providerState(goal.provider), again });
  }

  /** The state of the provider that a reference names: of this run, else the previous one. */
  providerState(reference: string | undefined): ResourceState | undefined {
    if (reference === undefined) return undefined;
    const { urn } = parseProviderReference(reference);
    return this.registered.get(urn) ?? this.#olds.get(urn);
  }

  /** @param inputs what is compared; @param stored what the state gets (of a component, the program's inputs as they are) */
  async #fromDifference(goal: Goal, old: ResourceState, inputs: PropertyMap, stored: PropertyMap, seed: Uint8Array): Promise<Step[]> {
    const { urn, type } = goal;
    if (!this.ctx.preview && goal.replacementTrigger !== undefined && containsUnknowns(goal.replacementTrigger)) {
      this.ctx.planningFailed();
      throw new DeploymentError(`replacement trigger contains unknowns for ${urn}`, urn);
    }
    const verdict = await decide(this.ctx, old, goal, inputs, { providerAliases: this.#oldUrnOf, replaced: this.#replaced });
    const { replaceKeys: keys, diffs, detailedDiff } = verdict;
    const facts = { urn, type, old, provider: goal.provider, keys, diffs, detailedDiff, ignoreChanges: goal.ignoreChanges };
    if (verdict.action === "replace") return this.#replace(goal, old, verdict, stored, seed, facts);
    const state = this.#register(goal, stored, old);
    if (verdict.action === "same") return [makeStep("same", { urn, type, old, new: state, provider: goal.provider })];
    return [makeStep("update", { ...facts, new: state })];
  }

  async #replace(goal: Goal, old: ResourceState, verdict: Verdict, checked: PropertyMap, seed: Uint8Array, facts: Omit<Step, "op" | "new">): Promise<Step[]> {
    const { urn } = goal;
    if (old.protect && goal.protect) {
      const message = `unable to replace resource "${urn}"\nas it is currently marked for protection. To unprotect the resource, remove the \`protect\` flag from the resource in your Pulumi program and run \`pulumi up\``;
      if (!this.ctx.preview) throw new DeploymentError(message, urn);
      // A preview goes on, so that it shows the difference that asks for the replacement.
      this.ctx.events.diagnostic("error", message, urn);
      this.ctx.planningFailed();
    }
    if (goal.importId !== undefined) {
      const shown = verdict.replaceKeys.map((key) => `${key}: ${shownText(old.inputs[key])} => ${shownText(checked[key])}`);
      const message = `previously-imported resources that still specify an ID may not be replaced; please remove the \`import\` declaration from your program;\n${shown.join("\n")}`;
      if (!this.ctx.preview) throw new DeploymentError(message, urn);
      this.ctx.events.diagnostic("warning", message, urn);
    }
    this.#replaced.add(urn);
    // The first check kept the automatic names of the old inputs. A replacement needs new ones, so the inputs are checked without the old.
    // In a forced replacement the first check was without them already.
    const fresh = this.#wantsReplacement(urn, old) ? checked : await this.#inspect(goal, await checkInputs(this.ctx, goal, {}, goal.inputs, seed), true);
    if (!(goal.deleteBeforeReplace ?? verdict.deleteBeforeReplace)) {
      const state = this.#register(goal, fresh, undefined);
      return [makeStep("create-replacement", { ...facts, new: state, keepsOld: true }), makeStep("replace", { ...facts, new: state })];
    }
    const deletions = await deletionsFirst(this.ctx, urn, old, { registered: this.registered, deleted: this.#deleted });
    const state = this.#register(goal, fresh, undefined);
    return [...deletions, makeStep("replace", { ...facts, new: state }), makeStep("create-replacement", { ...facts, new: state })];
  }

  #register(goal: Goal, inputs: PropertyMap, old: ResourceState | undefined): ResourceState {
    const state = goalState(goal, inputs, old, this.ctx.preview);
    this.registered.set(goal.urn, state);
    return state;
  }

  /** A new resource outside the targets is left out: shown, never stored. */
  #skip(goal: Goal, outputs: PropertyMap = {}): Step[] {
    return this.#limited.leaveOut({ ...goalState(goal, goal.inputs, undefined, this.ctx.preview), outputs });
  }

  /** First half of an import: read; the executor reads, then {@link afterImport} compares with the program's inputs. */
  #import(goal: Goal, old: ResourceState | undefined): Step[] {
    const state = { ...goalState(goal, goal.inputs, undefined, this.ctx.preview), id: goal.importId };
    this.registered.set(goal.urn, state);
    const facts = { urn: goal.urn, type: goal.type, new: state };
    if (old === undefined) return [makeStep("import", { ...facts, provider: goal.provider })];
    return [makeStep("import-replacement", { ...facts, old, provider: goal.provider }), makeStep("replace", { ...facts, old })];
  }

  /** Second half of an import: the program's inputs against what was read. A difference is an update in the same run. */
  async afterImport(goal: Goal, imported: ResourceState): Promise<Step[]> {
    const wanted = { ...goal, inputs: flattenOutputs(goal.inputs) };
    const news = resetPaths(wanted.inputs, imported.inputs, goal.ignoreChanges);
    const seed = this.#seed(goal.urn);
    const right = await checkInputs(this.ctx, wanted, imported.inputs, news, seed);
    this.ctx.plan.goal({ goal: wanted, old: imported, fresh: false, inputs: right, seed });
    const inputs = await this.#inspect(wanted, right);
    const steps = await this.#fromDifference(wanted, imported, inputs, inputs, seed);
    if (steps[0]?.op !== "same") return steps;
    this.registered.set(goal.urn, imported);
    this.ctx.plan.steps(steps);
    return [];
  }

  async read(goal: ReadGoal): Promise<Step[]> {
    this.#requireParent(goal);
    const { urn, type, provider } = goal;
    const { old } = this.#findOld(goal);
    const state = readState(goal);
    const named = this.ctx.targets.targeted && this.ctx.targets.named(urn);
    // It is not a target, but reading it needs something that is left out.
    if (!named && this.#limited.lacks(state)) return old === undefined ? this.#limited.leaveOut(state) : this.#limited.keep(urn, old);
    this.registered.set(urn, state);
    if (old === undefined || old.external || old.id === goal.id)
      return this.#limited.withCarried([makeStep("read", { urn, type, ...(old ? { old } : {}), new: state, provider })]);
    this.#replaced.add(urn);
    return this.#limited.withCarried([
      makeStep("read-replacement", { urn, type, old, new: state, provider }),
      makeStep("replace", { urn, type, old, new: state }),
    ]);
  }

  /** The inputs of a provider that this run registered. */
  providerInputs(reference: string): PropertyMap {
    return this.registered.get(parseProviderReference(reference).urn)?.inputs ?? {};
  }

  /** Whether a registration of this run left the resource out. */
  skipped(urn: string): boolean {
    return this.#limited.leftOut.has(urn);
  }

  /** Whether an old entry lives on in this run. */
  survives(urn: string): boolean {
    return this.registered.has(urn) || this.aliased.has(urn) || this.#limited.carries(urn);
  }
}
