/**
 * `node bin/components/platform/harbor/set-up.main.js`: makes projects, accounts and retention rules in a Harbor, as the task on standard
 * input says (JSON), and prints what it has changed. Run by components/platform/harbor/harbor.ts.
 */
import { systemClock } from "../../../common/clock";
import { describeError } from "../../../common/errors";
import { leanStart } from "../../../common/lean-start";
import { readStdin } from "../../../common/stdin";

leanStart("harbor-set-up");

async function main(): Promise<void> {
  const { setUpHarbor } = await import("./set-up.js");
  const changed = await setUpHarbor(await readStdin(), systemClock);
  process.stdout.write(`${JSON.stringify({ changed })}\n`);
}

main().catch((thrown: unknown) => {
  process.stderr.write(`${describeError(thrown)}\n`);
  process.exitCode = 1;
});
