import type { Writer } from "../cli/sinks";
import { type RunEvent, withoutOutputs } from "../schedule/run";

/** Shows a run as it goes. */
export interface Display {
  event(event: RunEvent): void;
  /** Ends the display; what stays on the screen is its last frame. */
  close(): void;
}

/** One JSON document a line, for programs. */
export class JsonDisplay implements Display {
  constructor(private readonly write: Writer) {}

  event(event: RunEvent): void {
    this.write(`${JSON.stringify(withoutOutputs(event))}\n`);
  }

  close(): void {
    // Nothing is open: each event was written as it came.
  }
}
