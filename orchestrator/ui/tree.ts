import type { Writer } from "../cli/sinks";
import type { RunEvent } from "../schedule/run";
import type { StackGraph } from "../target/graph";
import type { Display } from "./display";
import { timeLeft } from "./estimate";
import { RunModel } from "./run-model";
import { treeFrame } from "./tree-frame";

const FRAME_MS = 100;

export interface TreeOptions {
  graph: StackGraph;
  backwards: boolean;
  planned: boolean;
  colour: boolean;
  columns: () => number;
  rows: () => number;
  now: () => number;
  /** Milliseconds that stacks took in earlier runs. */
  times: ReadonlyMap<string, number>;
}

/** A live tree: a row a stack, below each running stack what it does now. Redraws in place, for terminals only. */
export class TreeDisplay implements Display {
  readonly #model: RunModel;
  readonly #timer: NodeJS.Timeout;
  #drawn = 0;

  constructor(
    private readonly write: Writer,
    private readonly options: TreeOptions,
  ) {
    this.#model = new RunModel(options.graph, options.backwards);
    this.#timer = setInterval(() => this.#draw(), FRAME_MS);
    this.#timer.unref();
  }

  event(event: RunEvent): void {
    this.#model.apply(event);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#draw();
  }

  #draw(): void {
    const { columns, rows, planned, now, times } = this.options;
    const left = timeLeft(this.#model, times, now());
    // The last column stays free, since a full line would wrap; and the last row, for the cursor: what has scrolled away cannot be redrawn.
    const lines = treeFrame(this.#model, { columns: Math.max(1, columns() - 1), rows: Math.max(1, rows() - 1) }, planned, now(), left);
    const clear = this.#drawn > 0 ? `\x1b[${this.#drawn}A\x1b[0J` : "";
    const messages = this.#model.takeMessages().map((message) => `${message}\n`);
    this.write(clear + messages.join("") + lines.map(({ text, colour }) => `${this.#paint(text, colour)}\n`).join(""));
    this.#drawn = lines.length;
  }

  #paint(text: string, colour: number): string {
    return this.options.colour ? `\x1b[${colour}m${text}\x1b[0m` : text;
  }
}
