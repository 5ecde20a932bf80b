/**
 * An `up` of a stack whose state is lost, while its resources exist. Creating an existing resource fails. Then it is looked for under the id that
 * its inputs determine, in the same way as a pending creation, and taken into the state. The `up` is repeated until no creation fails for this
 * reason. Error messages are not read, so it works with every provider.
 */
import { z } from "zod";
import { HomelabError } from "../../common/errors";
import { adoptPending, type EngineCommand, ID_OF, readState, writeState } from "../state/pending-creates";

/** What a step's event says about a resource to create. Secrets in its inputs are masked; no id contains one. */
const goalSchema = z.object({
  urn: z.string(),
  type: z.string(),
  custom: z.boolean().optional(),
  parent: z.string().optional(),
  provider: z.string().optional(),
  inputs: z.record(z.string(), z.unknown()).default({}),
});
type Goal = z.infer<typeof goalSchema>;

/** As far as the engine's events are read here. */
export interface StepEvent {
  resourcePreEvent?: { metadata: { op: string; urn: string; type: string; new?: unknown } };
  resOpFailedEvent?: { metadata: { urn: string } };
}

/** Collects the creations that failed in one try, of the types that can be looked for. */
export class FailedCreations {
  readonly #begun = new Map<string, Goal>();
  readonly #failed = new Map<string, Goal>();

  readonly read = ({ resourcePreEvent, resOpFailedEvent }: StepEvent): void => {
    const begun = resourcePreEvent?.metadata;
    if (begun?.op === "create" && begun.new !== undefined && begun.type in ID_OF) this.#begun.set(begun.urn, goalSchema.parse(begun.new));
    const urn = resOpFailedEvent?.metadata.urn;
    const goal = urn === undefined ? undefined : this.#begun.get(urn);
    if (goal !== undefined) this.#failed.set(goal.urn, goal);
  };

  /** Failed creations since the last call whose inputs determine an id. */
  take(): Goal[] {
    const failed = [...this.#failed.values()].filter(({ type, inputs }) => ID_OF[type]?.(inputs) !== undefined);
    this.#begun.clear();
    this.#failed.clear();
    return failed;
  }
}

/** Writes them into the state as pending creations. */
async function leavePending(run: EngineCommand, stack: string, goals: readonly Goal[]): Promise<void> {
  const whole = await readState(run, stack);
  const known = new Set((whole.deployment?.resources ?? []).map(({ urn }) => urn));
  const pending = goals.map(({ parent, ...goal }) => ({
    type: "creating",
    resource: { ...goal, custom: true, ...(parent !== undefined && known.has(parent) ? { parent } : {}) },
  }));
  await writeState(run, stack, whole, { pending_operations: [...(whole.deployment?.pending_operations ?? []), ...pending] });
}

/** Looks for existing resources. @returns those that are in the state now */
async function lookFor(run: EngineCommand, stack: string, goals: readonly Goal[]): Promise<Goal[]> {
  await leavePending(run, stack, goals);
  const asked = goals.map(({ urn, type, inputs }) => ({ urn, type, id: ID_OF[type]?.(inputs) }));
  await adoptPending(run, stack, asked);
  const { deployment } = await readState(run, stack);
  const there = new Set((deployment?.resources ?? []).map(({ urn }) => urn));
  return goals.filter(({ urn }) => there.has(urn));
}

/** A step of a preview, as far as it is judged here. */
export interface PlannedStep {
  urn: string;
  op: string;
  /** Properties that force a replacement. */
  keys: readonly string[];
}

export interface TakeOver {
  run: EngineCommand;
  stack: string;
  failed: FailedCreations;
  /** One `up`, which continues with other resources after a failure. */
  attempt(): Promise<void>;
  /** What an `up` would do now. */
  preview(): Promise<readonly PlannedStep[]>;
  say(urn: string, message: string): void;
}

const nameOf = (urn: string): string => urn.split("::").at(-1) ?? urn;

/**
 * A resource that was found, and that an `up` would replace or delete, is not the one that the program describes. It is removed from the state
 * again, and left untouched.
 * @throws HomelabError E_NOT_OURS which names all of them
 */
async function refuseForeign({ run, stack, preview }: TakeOver, found: readonly Goal[]): Promise<void> {
  const urns = new Set(found.map(({ urn }) => urn));
  const lost = (await preview()).filter(({ urn, op }) => urns.has(urn) && /replace|delete/.test(op));
  const foreign = new Map(lost.map(({ urn, keys }) => [urn, keys]));
  if (foreign.size === 0) return;
  const lines = [...foreign].map(([urn, keys]) => {
    const goal = found.find((one) => one.urn === urn);
    const id = goal === undefined ? undefined : ID_OF[goal.type]?.(goal.inputs);
    return `${nameOf(urn)}: what is there as ${id} is not what the program describes${keys.length === 0 ? "" : ` (${keys.join(", ")})`}`;
  });
  for (const urn of foreign.keys()) await run(["state", "delete", urn, "--force", "--yes", "--stack", stack], {});
  throw new HomelabError("E_NOT_OURS", `${lines.join("\n")}`, {
    subject: stack,
    hint: "nothing was done to it: describe it as it is, or move it out of the way, then run the same command again",
  });
}

/** @throws what the last try threw, where none of the resources that it failed to create exists; HomelabError E_NOT_OURS */
export async function upTakingOver(parts: TakeOver): Promise<void> {
  for (;;) {
    try {
      return await parts.attempt();
    } catch (thrown) {
      const goals = parts.failed.take();
      const found = goals.length === 0 ? [] : await lookFor(parts.run, parts.stack, goals);
      // Each round takes over at least one resource, and does not create one that is in the state: so the loop ends.
      if (found.length === 0) throw thrown;
      for (const { urn, type, inputs } of found) parts.say(urn, `${nameOf(urn)} is there already, as ${ID_OF[type]?.(inputs)}: it is taken into the state`);
      await refuseForeign(parts, found);
    }
  }
}
