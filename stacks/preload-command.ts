/** Loaded before the program's own commands (`describe.ts` and its like), which the orchestrator runs in processes of their own. */
import { leanStart } from "../common/lean-start";

leanStart("command");

// Each schema is used once or twice: zod would make a function of its own of each first.
(require("zod") as typeof import("zod")).config({ jitless: true });
