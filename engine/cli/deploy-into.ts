/** A deployment and the file that it writes to: one ends after the other. */
import type { StateWriter } from "../backend/state-writer";
import type { DeploymentResult } from "../contracts";
import { CliError, DeploymentError, EXIT_CODE } from "../errors";

/** Whatever the deployment comes to: what it told the writer is in the file before the lock is given back. */
export async function deployInto(writer: StateWriter, run: () => Promise<DeploymentResult>): Promise<DeploymentResult> {
  let result: DeploymentResult;
  try {
    result = await run();
  } catch (thrown) {
    // What was refused before it began leaves the file as it is.
    if (writer.touched) await finish(writer, thrown);
    throw thrown;
  }
  await finish(writer, undefined);
  return result;
}

/** @throws CliError where the state could not be written: a full disk is no bug */
async function finish(writer: StateWriter, before: unknown): Promise<void> {
  try {
    await writer.finish();
  } catch (thrown) {
    if (!(thrown instanceof DeploymentError)) throw thrown;
    throw new CliError(thrown.message, EXIT_CODE.failed, before === undefined ? undefined : { cause: before });
  }
}
