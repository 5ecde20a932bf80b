/**
 * What is logged of our commands: standard error, but not standard output, which is a secret or a value for other resources. With `none`
 * the reason of a failure would be lost too.
 *
 * A command that exists keeps its setting (`ignoreChanges: ["logging"]`). Otherwise this change would run it again, and in the preview
 * everything made from its output would be unknown and be replaced.
 */
export const ERRORS_ONLY = "stderr" as const;
