/** A failure as the Proxmox API gives it: the reason in the status line, parameters' problems in the body. */
export class PveError extends Error {
  /** @param errors problem by parameter, for status 400 */
  constructor(
    readonly status: number,
    message: string,
    readonly errors?: Readonly<Record<string, string>>,
  ) {
    super(message);
  }
}

export const parameterError = (errors: Readonly<Record<string, string>>): PveError => new PveError(400, "Parameter verification failed.", errors);

/** A failure of a task. The message is the task's exit status. */
export class TaskError extends Error {}
