/**
 * Keeps a failing program from hanging. Node 20.20 never returns from `util.inspect(error, { colors: true })` where a frame of
 * the stack lies directly below a package's scope (`node_modules/@pulumi/output.ts:516:31`). The SDK's source maps make such
 * frames, and its handler for uncaught errors inspects with colours.
 */

const BELOW_SCOPE = /(node_modules[/\\]@[^/\\\n]+[/\\])(?=[^/\\\n]*$)/gm;

/** The stack with such frames written as files of the package `pulumi`, which is where they are. */
export function repairStack(stack: string): string {
  return stack.replace(BELOW_SCOPE, "$1pulumi/");
}

function repair(thrown: unknown): void {
  for (let error = thrown; error instanceof Error; error = error.cause) {
    if (error.stack !== undefined) error.stack = repairStack(error.stack);
  }
}

/** Repairs each error before the SDK's own handlers see it. */
export function guardUncaughtErrors(): void {
  process.prependListener("uncaughtException", repair);
  process.prependListener("unhandledRejection", repair);
}
