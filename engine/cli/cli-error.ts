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
