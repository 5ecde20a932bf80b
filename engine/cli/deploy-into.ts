/** Runs a deployment, then completes the state file that it writes to. */
import type { StateWriter } from "../backend/state-writer";
import type { DeploymentResult } from "../contracts";
import { CliError, DeploymentError, EXIT_CODE } from "../errors";

/** Whether the deployment succeeds or throws: before this returns, and so before the lock is given back, the file has all of its changes. */
export async function deployInto(writer: StateWriter, run: () => Promise<DeploymentResult>): Promise<DeploymentResult> {
  let result: DeploymentResult;
  try {
    result = await run();
  } catch (thrown) {
    // A deployment that was refused before its first change leaves the file as it is.
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
