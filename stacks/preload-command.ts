/** Loaded before the program's own commands (`describe.ts` and its like), which the orchestrator runs in processes of their own. */
import { leanStart } from "../common/lean-start";

leanStart("command");

// Each schema is used once or twice: zod would make a function of its own of each first.
(require("zod") as typeof import("zod")).config({ jitless: true });

// What is thrown while files are loaded comes before any of the commands' own code that reports failures.
process.once("uncaughtException", (thrown: unknown) => {
  const { loadFailure } = require("./load-failure") as typeof import("./load-failure");
  const { fail } = require("./child") as typeof import("./child");
  const known = loadFailure(thrown);
  if (known === undefined) process.stderr.write(`${thrown instanceof Error ? thrown.stack : String(thrown)}\n`);
  else fail(known);
  process.exit(1);
});
