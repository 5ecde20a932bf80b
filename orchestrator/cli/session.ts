import type { Clock } from "../../common/clock";
import type { Redactor } from "../../common/redact";
import type { Sinks } from "./sinks";

/** What a command gets from the process it runs in. Everything that it writes is redacted, except with `rawOut`. */
export interface Session extends Sinks {
  terminal: {
    /** A person watches: what is shown may be redrawn. */
    interactive: boolean;
    /** A person watches and can answer. */
    asks: boolean;
    colour: boolean;
    columns: () => number;
    rows: () => number;
  };
  /** One line that the person types, or undefined at the end of the input. Only where `terminal.asks`. */
  ask(question: string): Promise<string | undefined>;
  clock: Clock;
  /** Calls back at each interrupt until the returned function is called. */
  onInterrupt(listener: () => void): () => void;
  /** What is registered here appears nowhere from then on. */
  redactor: Redactor;
}
