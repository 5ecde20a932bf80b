/** How a program of this folder ends: known failures in one message, all others as a bug. */
import { describeError } from "../common/errors";

export function runMain(main: () => number | Promise<number>): void {
  Promise.resolve()
    .then(main)
    .then(
      (code) => {
        process.exitCode = code;
      },
      (thrown: unknown) => {
        process.stderr.write(`error: ${describeError(thrown)}\n`);
        process.exitCode = 1;
      },
    );
}
