import type { Writer } from "../cli/sinks";
import { printed } from "../schedule/event-schema";
import type { RunEvent } from "../schedule/run";

/** Shows a run as it goes. */
export interface Display {
  event(event: RunEvent): void;
  /** Ends the display; what stays on the screen is its last frame. */
  close(): void;
}

/** One JSON document a line, for programs; docs/events.schema.json is its form. */
export class JsonDisplay implements Display {
  constructor(private readonly write: Writer) {}

  event(event: RunEvent): void {
    this.write(`${JSON.stringify(printed(event))}\n`);
  }

  close(): void {
    // There is nothing to do: each event was written as it came.
  }
}
