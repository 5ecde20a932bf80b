/** Answers a method of the ResourceMonitor service with its reply, or with an error in the form that the SDK expects. */
import { type Failure, STATUS } from "../../common/grpc/messages";
import type { Handler } from "../../common/grpc/unary-server";
import { CheckFailed, DeploymentError, expectedMessage, Halted, StepFailed, StepSkipped, unexpectedMessage } from "../errors";
import { ProviderError } from "../providers/provider-error";
import { BadRequest } from "./requested-urns";

/** The error that the SDK gets. UNAVAILABLE makes it end quietly: what happened was shown already, or is shown at the end. */
function answerTo(thrown: unknown, fail: (error: DeploymentError) => void): Failure {
  if (thrown instanceof Halted || thrown instanceof StepFailed || thrown instanceof StepSkipped || thrown instanceof CheckFailed)
    return { code: STATUS.UNAVAILABLE, details: "resource monitor shut down while waiting on step's done channel" };
  if (thrown instanceof BadRequest || thrown instanceof ProviderError) return { code: thrown.code, details: thrown.message };
  const expected = expectedMessage(thrown);
  const error = thrown instanceof DeploymentError ? thrown : new DeploymentError(expected ?? unexpectedMessage(thrown));
  fail(error);
  return { code: STATUS.UNAVAILABLE, details: error.message };
}

/** @param fail gets what ends the deployment */
export function unary<Req, Res>(answer: (request: Req) => Promise<Res>, fail: (error: DeploymentError) => void): Handler<Req, Res> {
  return (call, callback) => {
    answer(call.request).then(
      (reply) => callback(null, reply),
      (thrown: unknown) => callback(answerTo(thrown, fail)),
    );
  };
}
