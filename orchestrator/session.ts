import type { Clock } from "../common/clock";
import type { Writer } from "./ui/display";

/** What a command gets from the process it runs in. What it writes passes through the redactor, but for `rawOut`. */
export interface Session {
  out: Writer;
  /** Past the redactor: only for secrets that the user asked to see by name. */
  rawOut: Writer;
  err: Writer;
  terminal: { interactive: boolean; colour: boolean; columns: () => number };
  clock: Clock;
  /** Calls back at each interrupt until the returned function is called. */
  onInterrupt(listener: () => void): () => void;
  redact: (text: string) => string;
  /** From now on this value appears nowhere. */
  registerSecret(value: string): void;
}
