import { HomelabError } from "../common/errors";
import { CliError } from "./cli/cli-error";

/** A step failed because the provider said so; its diagnostics were emitted already. */
export class StepFailed extends Error {
  constructor(
    message: string,
    /** Status of the resource as the CLI counts it: 0 known, 1 partial, 2 unknown. */
    readonly status: number = 0,
  ) {
    super(message);
    this.name = "StepFailed";
  }
}

/** The deployment cannot go on; the message is shown once, on this resource (or on the stack). */
export class DeploymentError extends Error {
  constructor(
    message: string,
    readonly urn: string | undefined = undefined,
  ) {
    super(message);
    this.name = "DeploymentError";
  }
}

/** A resource that was left out, with `--continue-on-error`, because something that it needs failed. */
export class StepSkipped extends Error {
  constructor(message: string) {
    super(message);
    this.name = "StepSkipped";
  }
}

/** The message of a failure that is understood; undefined for a bug. */
export function expectedMessage(thrown: unknown): string | undefined {
  const known = thrown instanceof DeploymentError || thrown instanceof StepFailed || thrown instanceof CliError || thrown instanceof HomelabError;
  return known ? thrown.message : undefined;
}
