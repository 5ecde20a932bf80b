/** When creations that a killed engine left in a stack's state are looked for. */
import type { StackStanding } from "../store/run-fold";
import type { Site } from "../target/site";
import { isPreview, type RunOperation } from "./run-setup";

/**
 * Whether an operation begins with that. The state says what was cut; this only spares the question, which is a process of the engine.
 * @param standing how this machine's runs left the stack; undefined: none of them worked on it
 */
export function looksForCut(operation: RunOperation, site: Site["kind"], standing: StackStanding | undefined): boolean {
  if (isPreview(operation)) return false;
  // The state of a real homelab is shared: of a run that was killed on another machine, or in CI, nothing is known here. A lab is this
  // machine's own, and so are all of its runs.
  return site === "real" || (standing !== undefined && standing !== "succeeded");
}
