/**
 * `node bin/components/hosts/wait-ready.main.js`: waits until a host can be worked on. Takes its task as JSON on standard input,
 * and what it printed the last time (PULUMI_COMMAND_STDOUT); prints one line of JSON. Run by components/hosts/host-ready.ts.
 */
import { systemClock } from "../../common/clock";
import { readEnv } from "../../common/env";
import { describeError } from "../../common/errors";
import { leanStart } from "../../common/lean-start";
import { readStdin } from "../../common/stdin";

leanStart("wait-ready");

async function main(): Promise<void> {
  const { waitReady } = await import("./wait-ready.js");
  process.stdout.write(await waitReady(await readStdin(), readEnv("PULUMI_COMMAND_STDOUT"), systemClock));
}

main().catch((thrown: unknown) => {
  process.stderr.write(`${describeError(thrown)}\n`);
  process.exitCode = 1;
});
