/** Answers a method of the ResourceMonitor service with its reply, or with an error in the form that the SDK expects. */
import * as grpc from "@grpc/grpc-js";
import { CheckFailed, DeploymentError, expectedMessage, Halted, StepFailed, StepSkipped } from "../errors";
import { ProviderError } from "../providers/provider-error";
import { BadRequest } from "./requested-urns";

type Handler<Req, Res> = (request: Req) => Promise<Res>;

/** The error that the SDK gets. UNAVAILABLE makes it end quietly: what happened was shown already, or is shown at the end. */
function answerTo(thrown: unknown, fail: (error: DeploymentError) => void): { code: grpc.status; details: string } {
  if (thrown instanceof Halted || thrown instanceof StepFailed || thrown instanceof StepSkipped || thrown instanceof CheckFailed)
    return { code: grpc.status.UNAVAILABLE, details: "resource monitor shut down while waiting on step's done channel" };
  if (thrown instanceof BadRequest || thrown instanceof ProviderError) return { code: thrown.code, details: thrown.message };
  const expected = expectedMessage(thrown);
  const error =
    thrown instanceof DeploymentError
      ? thrown
      : new DeploymentError(expected ?? `bug in the embedded engine: ${thrown instanceof Error ? thrown.stack : String(thrown)}`);
  fail(error);
  return { code: grpc.status.UNAVAILABLE, details: error.message };
}

/** @param fail gets what ends the deployment */
export function unary<Req, Res>(handler: Handler<Req, Res>, fail: (error: DeploymentError) => void): grpc.UntypedHandleCall {
  return (call: { request: Req }, callback: grpc.sendUnaryData<Res>) => {
    handler(call.request).then(
      (reply) => callback(null, reply),
      (thrown: unknown) => callback(answerTo(thrown, fail)),
    );
  };
}
