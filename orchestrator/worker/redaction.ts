import type { Redactor } from "../../common/redact";
import { registerAllSecrets } from "../../secrets/load";
import type { Session } from "../cli/session";
import { secretsPlace } from "../target/lab-secrets";
import type { StackProcess } from "./stack-process";
import type { OutputValue, WorkerMessage, WorkerResult } from "./worker-protocol";

/**
 * Decrypts the secrets of the checkout, in memory, and gives each to the redactor before anything is printed. This is also the first check of a
 * run: without a key that opens them, nothing starts.
 * @param env the site's environment, for the age key of the lab
 * @param stacks whose own values, which win over the common ones, are registered too
 */
export async function registerSecrets(session: Session, env: Readonly<Record<string, string>>, stacks: readonly string[]): Promise<void> {
  const register = (value: string) => session.redactor.register(value);
  await registerAllSecrets({ register, ...secretsPlace(env) }, stacks);
}

function registerAll(redactor: Redactor, value: unknown): void {
  if (typeof value === "string") redactor.register(value);
  else if (typeof value === "object" && value !== null) for (const item of Object.values(value)) registerAll(redactor, item);
}

/** Secret outputs are created by the run itself: they are redacted from now on. */
function registerOutputs(redactor: Redactor, outputs: Readonly<Record<string, OutputValue>>): void {
  for (const { secret, value } of Object.values(outputs)) if (secret) registerAll(redactor, value);
}

/**
 * A worker whose messages are redacted as they arrive, whole, before anything can cut, wrap or escape them on the way to a display, a report or
 * a comment. Values of outputs stay as they are: the code that shows them decides.
 */
export function redactedProcess(
  redactor: Redactor,
  start: (onMessage: (message: WorkerMessage) => void) => StackProcess,
  onMessage: (message: WorkerMessage) => void,
): StackProcess {
  const { result, cancel } = start((message) => onMessage(message.kind === "result" ? message : redactor.redactDeep(message)));
  const redacted = ({ outputs, formerOutputs, ...rest }: WorkerResult): WorkerResult => {
    for (const values of [outputs, formerOutputs]) if (values !== undefined) registerOutputs(redactor, values);
    return { ...redactor.redactDeep(rest), ...(outputs === undefined ? {} : { outputs }), ...(formerOutputs === undefined ? {} : { formerOutputs }) };
  };
  return { result: result.then(redacted), cancel };
}
