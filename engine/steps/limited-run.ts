/**
 * What a limited run (`--target`, `--exclude`) keeps as it is, carries along and leaves out.
 *
 * - kept: the program registers it, and the limits do not admit it: its entry stays as it was;
 * - carried along: an old entry that something kept (or a target) needs, and that the program has not registered: it is placed before that;
 * - left out: new, and not admitted: shown, never stored.
 */
import type { DeploymentContext } from "../deployment/context";
import { DeploymentError } from "../errors";
import { referenceOf } from "../snapshot/integrity";
import { needsOf, type ResourceState } from "../snapshot/types";
import { parseProviderReference } from "../wire/urn";
import { makeStep, type Step } from "./step";

/** State of the generator, read anew for each question; `registered` is also written here. */
export interface RunFacts {
  /** Entries of the old state that are not marked for deletion, by URN. */
  olds: ReadonlyMap<string, ResourceState>;
  /** URNs that the program registered or read, and the states that they became. */
  registered: Map<string, ResourceState>;
  /** Old URNs that live on under a new one. */
  aliased: ReadonlyMap<string, string>;
  /** URNs that were deleted in this run before their replacement. */
  deleted: ReadonlyMap<string, unknown>;
}

export class LimitedRun {
  readonly #leftOut = new Set<string>();
  /** URNs that an entry of the old state keeps without a registration, and what needs them; undefined: they were renamed. */
  readonly #carried = new Map<string, ResourceState | undefined>();
  /** By reference: replaced providers whose old entry is still pending deletion. */
  readonly #replacedProviders: ReadonlyMap<string, ResourceState>;

  constructor(
    private readonly ctx: DeploymentContext,
    private readonly facts: RunFacts,
  ) {
    this.#replacedProviders = new Map(ctx.base.filter((r) => r.delete).map((r) => [referenceOf(r) ?? "", r]));
  }

  /** URNs of what a registration of this run left out. */
  get leftOut(): ReadonlySet<string> {
    return this.#leftOut;
  }

  /** Whether an entry of the old state keeps this URN without a registration. */
  carries(urn: string): boolean {
    return this.#carried.has(urn);
  }

  lacks(state: ResourceState): boolean {
    if (this.#leftOut.size === 0) return false;
    for (const urn of needsOf(state)) if (this.#leftOut.has(urn)) return true;
    return false;
  }

  /**
   * An entry that was carried along for another resource stands before that one, unchanged. It cannot be registered any more.
   * @throws DeploymentError
   */
  refuseCarried(urn: string): void {
    if (!this.#carried.has(urn)) return;
    const user = this.#carried.get(urn);
    if (user?.provider !== undefined && parseProviderReference(user.provider).urn === urn)
      throw new DeploymentError(
        `provider ${user.provider} for resource ${user.urn} has not been registered yet, this is due to a change of providers mixed with --target. Change your program back to the original providers`,
        user.urn,
      );
    const because =
      user === undefined
        ? "it is the former name of a resource that this limited operation does not rename"
        : `'${user.urn}' needs it, which this limited operation leaves as it is, and which the program registers first: include it, or run without limits`;
    throw new DeploymentError(`Duplicate resource URN '${urn}'; ${because}`, urn);
  }

  /** Leaves out a new resource that the limits do not admit, or that needs one which was left out. */
  leaveOut(state: ResourceState): Step[] {
    const { urn, type } = state;
    this.facts.registered.set(urn, state);
    this.#leftOut.add(urn);
    return [makeStep("same", { urn, type, new: state, skippedCreate: true })];
  }

  /** A resource that the limits do not admit stays as it is, and so does what it needs that the program no longer has. @param urn as it is registered */
  keep(urn: string, old: ResourceState): Step[] {
    const state = { ...old };
    const steps = this.#needsOfKept(old).flatMap((need) => this.#carry(need, old));
    this.facts.registered.set(urn, state);
    if (old.urn !== urn) {
      // It keeps its old name in this run, so its children are registered below the old name.
      this.#carried.set(old.urn, undefined);
      this.facts.registered.set(old.urn, state);
    }
    return [...steps, makeStep("same", { urn: old.urn, type: old.type, old, new: state, provider: old.provider, untargeted: true })];
  }

  /**
   * What a kept entry needs. If its provider was replaced and is pending deletion, that moves with it (see Settlement), and so what
   * that needs is included.
   */
  #needsOfKept(old: ResourceState): string[] {
    const replaced = this.#replacedProviders.get(old.provider ?? "");
    return [...needsOf(old), ...(replaced === undefined ? [] : needsOf(replaced))];
  }

  #carry(urn: string, user: ResourceState): Step[] {
    const { olds, registered, aliased, deleted } = this.facts;
    const standing = this.#carryStanding(urn);
    if (standing.length > 0) return standing;
    const old = olds.get(urn);
    if (old === undefined || this.#carried.has(urn) || registered.has(urn) || aliased.has(urn) || deleted.has(urn)) return [];
    this.#carried.set(urn, user);
    const steps = this.#needsOfKept(old).flatMap((need) => this.#carry(need, old));
    return [...steps, makeStep("same", { urn, type: old.type, old, new: { ...old }, provider: old.provider, untargeted: true })];
  }

  /**
   * A refresh by the program did not move an entry that it registered and did not read. Moves it before the resource that needs it
   * now, and shows nothing.
   */
  #carryStanding(urn: string): Step[] {
    const { registered, aliased } = this.facts;
    const { settlement, state: states } = this.ctx;
    const name = aliased.get(urn) ?? urn;
    const entry = registered.get(name);
    const old = entry && settlement.current(entry);
    if (old === undefined || !states.holds(old) || states.isNew(old)) return [];
    const state = { ...old };
    registered.set(name, state);
    const steps = this.#needsOfKept(old).flatMap((need) => this.#carry(need, old));
    return [...steps, makeStep("same", { urn: old.urn, type: old.type, old, new: state, provider: old.provider, untargeted: true, unshown: true })];
  }

  /** Puts old resources that these steps depend on, and that the program did not register, before them; refuses a step that needs a resource which was left out. */
  withCarried(steps: Step[]): Step[] {
    const { targets, request } = this.ctx;
    if (!targets.limited && !targets.replacing && request.options.refreshByProgram !== true) return steps;
    const carried: Step[] = [];
    for (const { new: state, urn } of steps) {
      if (state === undefined) continue;
      const needs = [...needsOf(state)];
      for (const need of needs.filter((other) => this.#leftOut.has(other))) {
        const message = `Resource '${urn}' depends on '${need}' which was was not specified in --target list.`;
        if (!this.ctx.preview) throw new DeploymentError(message, urn);
        this.ctx.events.diagnostic("error", message, urn);
        this.ctx.planningFailed();
        this.#leftOut.delete(need);
      }
      carried.push(...needs.flatMap((need) => (targets.targeted ? this.#carry(need, state) : this.#carryStanding(need))));
    }
    return [...carried, ...steps];
  }
}
