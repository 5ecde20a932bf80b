/**
 * `node bin/components/base/cluster-task.main.js [remove]`: does in a cluster what no resource of the Kubernetes provider does. Takes its task as
 * JSON on standard input and prints one line of JSON; with `remove` it undoes what the task did. Run by components/base/cluster-command.ts.
 */
import { systemClock } from "../../common/clock";
import { readEnv } from "../../common/env";
import { describeError, HomelabError } from "../../common/errors";
import { leanStart } from "../../common/lean-start";
import { readStdin } from "../../common/stdin";

leanStart("cluster-task");

async function main(): Promise<void> {
  const [word, ...more] = process.argv.slice(2);
  // A misspelt "remove" would do the task once more.
  if ((word !== undefined && word !== "remove") || more.length > 0)
    throw new HomelabError("E_USAGE", `"${[word, ...more].join(" ")}" is no argument of cluster-task`, { hint: "leave it out, or take: remove" });
  const { runClusterTask } = await import("./cluster-task.js");
  // The command provider passes the last output in this variable.
  const run = { previous: readEnv("PULUMI_COMMAND_STDOUT"), removes: word === "remove" };
  process.stdout.write(await runClusterTask(await readStdin(), systemClock, run));
}

main().catch((thrown: unknown) => {
  process.stderr.write(`${describeError(thrown)}\n`);
  process.exitCode = 1;
});
