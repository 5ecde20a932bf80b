/** How V8 treats a process that ends within a second. */
import { setFlagsFromString } from "node:v8";

/** V8's optimising compiler would take a quarter of its processor time, and what it compiles would hardly run. V8 takes this flag at any time. */
export function runShort(): void {
  setFlagsFromString("--no-opt");
}
