/**
 * What a command of ours may show of itself: its errors, and not its output, which is a secret or a value that others read. With `none`
 * the reason of a failure is lost too.
 */
export const ERRORS_ONLY = "stderr" as const;
