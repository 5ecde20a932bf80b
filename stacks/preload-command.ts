/** Loaded before the program's own commands (`describe.ts` and its like), which the orchestrator runs in processes of their own. */
import { leanStart } from "../common/lean-start";

leanStart("command");
