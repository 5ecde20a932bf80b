/** What a cluster's Argo CD is asked for and the lab does not model: each once in the log of unhandled calls. */
import type { LabContext } from "../core/world";

export class Unmodelled {
  readonly #noted = new Set<string>();

  constructor(
    private readonly ctx: LabContext,
    private readonly cluster: string,
  ) {}

  /** @returns the same text */
  note(what: string): string {
    if (!this.#noted.has(what)) this.ctx.unhandled.add({ system: "argo-cd", target: this.cluster, what });
    this.#noted.add(what);
    return what;
  }
}
