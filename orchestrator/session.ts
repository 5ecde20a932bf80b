import type { Clock } from "../common/clock";
import type { Redactor } from "../common/redact";
import type { Sinks } from "./sinks";

/** What a command gets from the process it runs in. What it writes passes through the redactor, but for `rawOut`. */
export interface Session extends Sinks {
  terminal: { interactive: boolean; colour: boolean; columns: () => number };
  clock: Clock;
  /** Calls back at each interrupt until the returned function is called. */
  onInterrupt(listener: () => void): () => void;
  /** What is registered here appears nowhere from then on. */
  redactor: Redactor;
}
