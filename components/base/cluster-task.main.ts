/**
 * `node bin/components/base/cluster-task.main.js [remove]`: does in a cluster what no resource of the Kubernetes provider does. Takes its task as
 * JSON on standard input and prints one line of JSON; with `remove` it undoes what the task did. Run by components/base/cluster-command.ts.
 */
import { systemClock } from "../../common/clock";
import { readEnv } from "../../common/env";
import { describeError } from "../../common/errors";
import { leanStart } from "../../common/lean-start";

leanStart("cluster-task");

async function main(): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  const { runClusterTask } = await import("./cluster-task.js");
  // As the provider of commands hands on what a command printed last.
  const run = { previous: readEnv("PULUMI_COMMAND_STDOUT"), removes: process.argv[2] === "remove" };
  process.stdout.write(await runClusterTask(Buffer.concat(chunks).toString("utf8"), systemClock, run));
}

main().catch((thrown: unknown) => {
  process.stderr.write(`${describeError(thrown)}\n`);
  process.exitCode = 1;
});
