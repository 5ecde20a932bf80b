/**
 * What a command of ours may show of itself: its errors, and not its output, which is a secret or a value that others read. With `none`
 * the reason of a failure is lost too.
 *
 * A command that is there already keeps what it has (`ignoreChanges: ["logging"]`): it would run again for this, and in the preview all
 * that is made of its output would be unknown, and replaced.
 */
export const ERRORS_ONLY = "stderr" as const;
