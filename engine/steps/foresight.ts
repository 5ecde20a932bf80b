/**
 * Asks providers ahead of time. Registrations are planned one at a time, and each asks its provider twice (Check and Diff). While some
 * wait for their turn, their questions are sent already, so that engine and provider work at the same time. When the turn comes, an
 * answer is used if it was given to the same question, and dropped otherwise. Nothing is asked ahead in a run that is limited to some
 * resources: there it depends on earlier registrations whether a provider is asked at all.
 */
import { randomBytes } from "node:crypto";
import type { DeploymentContext } from "../deployment/context";
import type { Goal } from "../monitor/goal";
import type { CheckFailure, DiffResult } from "../providers/provider-messages";
import type { ResourceState } from "../snapshot/types";
import { resetPaths } from "../wire/paths";
import { isProviderType, urnName } from "../wire/urn";
import { droppingUnknowns, flattenOutputs, type PropertyMap, sameValue } from "../wire/values";

export interface Checked {
  inputs: PropertyMap;
  failures: CheckFailure[];
}

interface Ahead {
  olds: PropertyMap;
  news: PropertyMap;
  seed: Buffer;
  check: Promise<Checked | undefined>;
  /** undefined: there is nothing to compare with, or the inputs are wrong. */
  diff: Promise<{ old: ResourceState; inputs: PropertyMap; result: DiffResult } | undefined>;
}

/** Enough that neither side waits for the other. After a failure, at most this many questions were asked in vain. */
const AT_ONCE = 8;

export class Foresight {
  readonly #answers = new Map<string, Ahead>();
  readonly #waiting = new Map<string, Goal>();
  /** URNs of previous states that were deleted in this run. */
  readonly #gone = new Set<string>();
  /** URNs of previous states that a registration of this run has named. */
  readonly #claimed = new Set<string>();
  #running = 0;
  #base: readonly ResourceState[] | undefined;
  #olds = new Map<string, ResourceState>();

  /** @param context that it is part of */
  constructor(private readonly context: () => DeploymentContext) {}

  get #ctx(): DeploymentContext {
    return this.context();
  }

  /** A registration has come, and waits for its turn. */
  expect(goal: Goal): void {
    const taken = this.#claim(goal);
    if (taken || !this.#foreseeable(goal)) return;
    this.#waiting.set(goal.urn, goal);
    this.#start();
  }

  /** A previous state was deleted in this run: a registration of its name is a creation. */
  forget(urn: string): void {
    this.#gone.add(urn);
    this.#answers.delete(urn);
  }

  /** The seed for automatic names with which the provider was asked ahead; undefined where it was not. */
  seed(urn: string): Buffer | undefined {
    // Its turn has come: if it was not asked ahead yet, it no longer is.
    this.#waiting.delete(urn);
    return this.#answers.get(urn)?.seed;
  }

  /** @returns undefined where the same question was not asked ahead */
  async check(urn: string, olds: PropertyMap, news: PropertyMap, seed: Uint8Array): Promise<Checked | undefined> {
    const ahead = this.#answers.get(urn);
    if (ahead === undefined || ahead.seed !== seed || !sameValue(ahead.olds, olds) || !sameValue(ahead.news, news)) return undefined;
    return ahead.check;
  }

  /** @returns undefined where the same question was not asked ahead */
  async diff(urn: string, old: ResourceState, inputs: PropertyMap): Promise<DiffResult | undefined> {
    const ahead = this.#answers.get(urn);
    this.#answers.delete(urn);
    const found = await ahead?.diff;
    return found !== undefined && found.old === old && sameValue(found.inputs, inputs) ? found.result : undefined;
  }

  #foreseeable(goal: Goal): boolean {
    const { targets, request } = this.#ctx;
    const updates = (request.kind === "update" || request.previewOf === "update") && request.options.refreshByProgram !== true;
    const managed = goal.custom && !isProviderType(goal.type) && goal.provider !== undefined && goal.importId === undefined;
    return updates && managed && !targets.limited && !targets.replacing;
  }

  /** @returns whether another registration has come for one of its old states: then its turn finds something else, or is refused */
  #claim(goal: Goal): boolean {
    const olds = this.#states();
    const own = new Set([goal.urn, ...goal.aliases].filter((urn) => olds.has(urn)));
    const taken = [...own].some((urn) => this.#claimed.has(urn));
    for (const urn of own) this.#claimed.add(urn);
    return taken;
  }

  #states(): ReadonlyMap<string, ResourceState> {
    if (this.#base !== this.#ctx.base) {
      this.#base = this.#ctx.base;
      this.#olds = new Map(this.#ctx.base.filter((state) => !state.delete).map((state) => [state.urn, state]));
    }
    return this.#olds;
  }

  #old(goal: Goal): ResourceState | undefined {
    const olds = this.#states();
    for (const urn of [goal.urn, ...goal.aliases]) {
      const old = olds.get(urn);
      if (old !== undefined) return this.#gone.has(urn) ? undefined : old;
    }
    return undefined;
  }

  #start(): void {
    for (const [urn, goal] of this.#waiting) {
      if (this.#running >= AT_ONCE) return;
      this.#waiting.delete(urn);
      this.#running++;
      const ahead = this.#ask(goal);
      this.#answers.set(urn, ahead);
      const ended = (): void => {
        this.#running--;
        this.#start();
      };
      // The failure is thrown when the registration's turn comes.
      ahead.check.catch(() => undefined);
      ahead.diff.then(ended, ended);
    }
  }

  #ask(goal: Goal): Ahead {
    const found = this.#old(goal);
    const old = found?.external === true ? undefined : found;
    const inputs = flattenOutputs(goal.inputs);
    const fresh = old === undefined || old.taint;
    const olds = fresh ? {} : old.inputs;
    const news = fresh ? inputs : resetPaths(inputs, old.inputs, goal.ignoreChanges);
    const seed = this.#ctx.plan.seed(goal.urn) ?? randomBytes(32);
    const check = this.#check(goal, olds, news, seed);
    return { olds, news, seed, check, diff: check.then((checked) => (fresh || checked === undefined ? undefined : this.#diff(goal, old, checked))) };
  }

  async #check(goal: Goal, olds: PropertyMap, news: PropertyMap, seed: Buffer): Promise<Checked | undefined> {
    const client = await this.#ctx.registry.get(goal.provider ?? "");
    if (!client.configured) return undefined;
    return client.check({ urn: goal.urn, type: goal.type, name: urnName(goal.urn) }, olds, this.#ctx.preview ? news : droppingUnknowns(news), seed);
  }

  async #diff(goal: Goal, old: ResourceState, { inputs, failures }: Checked): Promise<Awaited<Ahead["diff"]>> {
    // A resource that is replaced for another reason is not compared.
    const certain =
      failures.length === 0 &&
      old.provider === goal.provider &&
      old.replacementTrigger === undefined &&
      goal.replacementTrigger === undefined &&
      goal.replaceWith.length === 0 &&
      goal.deletedWith === undefined;
    if (!certain) return undefined;
    const client = await this.#ctx.registry.get(goal.provider ?? "");
    const result = await client.diff({ urn: goal.urn, type: goal.type, name: urnName(goal.urn) }, old.id ?? "", old, inputs, goal.ignoreChanges);
    return { old, inputs, result };
  }
}
