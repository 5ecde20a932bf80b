/** Whether each stack of a run has to run, and why. */
import type { Decision } from "../schedule/run-types";
import type { WorkerResult } from "../worker/worker-protocol";
import { decide, type OutputChange, reasonText } from "./affected";
import { isBackwards, isPreview, type RunSetup } from "./run-setup";

export class Turns {
  readonly #changes = new Map<string, OutputChange>();
  readonly #consumed: ReadonlySet<string>;

  /** @param words the stacks that were named; none: all */
  constructor(
    private readonly setup: Pick<RunSetup, "operation" | "program" | "stacks" | "affected">,
    private readonly words: readonly string[],
  ) {
    const reasons = setup.operation === "up" ? (setup.affected?.stacks ?? []) : [];
    this.#consumed = new Set(reasons.flatMap(({ reason }) => (reason.kind === "consumes" ? reason.outputs.map(({ from }) => from) : [])));
  }

  /** Whether the stack's outputs from before the run are needed, to compare them with those after it. */
  wantsFormer(stack: string): boolean {
    return this.#consumed.has(stack);
  }

  /** Keeps the outputs of a finished stack, which decide whether its consumers have to run. */
  note(stack: string, ended: WorkerResult): WorkerResult {
    if (ended.ok && ended.outputs !== undefined && this.#consumed.has(stack)) this.#changes.set(stack, { before: ended.formerOutputs, after: ended.outputs });
    return ended;
  }

  decide(stack: string): Decision {
    const { affected, operation, program, stacks } = this.setup;
    const reason = affected?.stacks.find((candidate) => candidate.stack === stack)?.reason;
    // A preview includes every stack that might have to run: other stacks' outputs are known only after these have run.
    if (reason !== undefined) return isPreview(operation) ? { run: true, why: reasonText(reason) } : decide(reason, this.#changes);
    if (affected?.removed.some(({ name }) => name === stack)) return { run: true, why: "not in the program any more" };
    if (this.words.length === 0) return { run: true, why: "no stack was named, so all are run" };
    if (this.words.includes(stack)) return { run: true, why: "it was named" };
    const graph = program.graph;
    const because = [...stacks].filter((other) => (isBackwards(operation) ? graph.node(stack).needs.includes(other) : graph.node(other).needs.includes(stack)));
    return {
      run: true,
      why: isBackwards(operation) ? `it needs ${because.join(", ")}` : `${because.join(", ")} ${because.length === 1 ? "needs" : "need"} it`,
    };
  }
}
