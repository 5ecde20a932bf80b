/** Creations that a killed run left pending, and what `refresh` does with them: clear, skip or import. */

import { CliError, EXIT_CODE } from "../errors";
import { checkIntegrity } from "../snapshot/integrity";
import type { PendingOperation, Snapshot } from "../snapshot/types";
import type { Flags } from "./flags";
import { ask, isInteractive, print } from "./terminal";

const isCreate = (operation: PendingOperation): boolean => operation.type === "creating";

/** The creation has succeeded: adds the resource with its ID to the state, and the refresh then reads it. */
function completed(snapshot: Snapshot, operation: PendingOperation, id: string): Snapshot {
  const { resource } = operation;
  if (snapshot.resources.some((other) => other.urn === resource.urn && !other.delete))
    throw new CliError(`${resource.urn} is in the state already: clear its pending creation instead`);
  const resources = [...snapshot.resources, { ...resource, id }];
  checkIntegrity(resources, `the state with ${resource.urn} as ${id}`);
  return { resources, pendingOperations: snapshot.pendingOperations.filter((other) => other !== operation) };
}

/** `--import-pending-creates URN --import-pending-creates ID …` */
function imported(snapshot: Snapshot, words: readonly string[]): Snapshot {
  if (words.length % 2 !== 0)
    throw new CliError("--import-pending-creates: each URN must be followed by an ID: found an odd number of entries", EXIT_CODE.usage);
  let result = snapshot;
  for (let at = 0; at < words.length; at += 2) {
    const [urn = "", id = ""] = words.slice(at, at + 2);
    const operation = result.pendingOperations.find((other) => isCreate(other) && other.resource.urn === urn);
    if (operation === undefined) process.stderr.write(`warning: "${urn}" did not correspond to a pending create\n`);
    else result = completed(result, operation, id);
  }
  return result;
}

async function asked(snapshot: Snapshot): Promise<Snapshot> {
  let result = snapshot;
  for (const operation of snapshot.pendingOperations.filter(isCreate)) {
    print(
      `Options for pending CREATE of ${operation.resource.urn}\n  clear   the creation failed: forget it\n  skip    do nothing\n  import  the creation succeeded: give the resource's ID`,
    );
    for (;;) {
      const answer = (await ask("clear/skip/import: "))?.trim();
      if (answer === undefined) throw new CliError("no option selected");
      if (answer === "clear") result = { ...result, pendingOperations: result.pendingOperations.filter((other) => other !== operation) };
      else if (answer === "import") result = completed(result, operation, (await ask("ID: "))?.trim() ?? "");
      else if (answer !== "skip") continue;
      break;
    }
  }
  return result;
}

/** The state that a refresh begins with. */
export async function settlePendingCreates(snapshot: Snapshot, flags: Flags): Promise<Snapshot> {
  if (flags.has("skip-pending-creates") && flags.has("clear-pending-creates"))
    throw new CliError("cannot set both --skip-pending-creates and --clear-pending-creates", EXIT_CODE.usage);
  let result = imported(snapshot, flags.list("import-pending-creates"));
  if (flags.has("clear-pending-creates")) return { ...result, pendingOperations: result.pendingOperations.filter((operation) => !isCreate(operation)) };
  if (isInteractive(flags) && !flags.has("skip-pending-creates")) result = await asked(result);
  return result;
}
