/** When creations that a killed engine left in a stack's state are looked for. */
import type { StackStanding } from "../store/run-fold";
import type { Site } from "../target/site";
import { isPreview, type RunOperation } from "./run-setup";

/**
 * Whether an operation looks for them first. The state itself names them; this only avoids the query where it is needless, since it takes a
 * process of the engine.
 * @param standing how this machine's runs left the stack; undefined: none of them worked on it
 */
export function looksForCut(operation: RunOperation, site: Site["kind"], standing: StackStanding | undefined): boolean {
  if (isPreview(operation)) return false;
  // The state of a real homelab is shared, and this machine does not know of runs that were killed on another machine or in CI. A lab is
  // used only by this machine, which knows all of its runs.
  return site === "real" || (standing !== undefined && standing !== "succeeded");
}
