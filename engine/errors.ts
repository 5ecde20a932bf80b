import { HomelabError, surroundingsText } from "../common/errors";

/** A failure with the text and exit code that the CLI gives it (engine-contract A8); scripts and the Automation API read both. */
export class CliError extends Error {
  constructor(
    message: string,
    readonly exitCode = 1,
    options?: { cause: unknown },
  ) {
    super(message, options);
    this.name = "CliError";
  }
}

export const EXIT_CODE = { ok: 0, failed: 1, usage: 2, stackNotFound: 6, changes: 7 } as const;

/** What only the Pulumi CLI can do. */
export const unsupported = (what: string): CliError => new CliError(`${what} is not supported by the embedded engine; the Pulumi CLI has it`, EXIT_CODE.usage);

/** What only Pulumi Cloud can do. */
export const cloudOnly = (what: string): CliError =>
  new CliError(`${what} needs Pulumi Cloud; with a file or S3 backend there is no such thing`, EXIT_CODE.usage);

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

/** A provider or a mandatory policy refused the inputs of a resource; the reason was shown. Other resources go on, and the run fails at its end. */
export class CheckFailed extends Error {}

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

/** Thrown to everything that waits to start when the run stops starting new steps. */
export class Halted extends Error {}

/** A resource that was left out, with `--continue-on-error`, because something that it needs failed. */
export class StepSkipped extends Error {
  constructor(message: string) {
    super(message);
    this.name = "StepSkipped";
  }
}

/** The message of any other failure: of the machine (a full disk, too many open files) with what to do, otherwise of a bug, with its stack. */
export const unexpectedMessage = (thrown: unknown): string =>
  surroundingsText(thrown) ?? `bug in the embedded engine: ${thrown instanceof Error ? thrown.stack : String(thrown)}`;

/** The message of a failure that is understood; undefined for one that is not. */
export function expectedMessage(thrown: unknown): string | undefined {
  const known = thrown instanceof DeploymentError || thrown instanceof StepFailed || thrown instanceof CliError || thrown instanceof HomelabError;
  return known ? thrown.message : undefined;
}
