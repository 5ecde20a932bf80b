/** How the entries run that the orchestrator asks: JSON in, JSON out, known failures as one line of JSON. */
import { describeError, HomelabError } from "../common/errors";
import { readStdin } from "../common/stdin";

/** A failure as the orchestrator reads it (orchestrator/target/program.ts). Its message includes its causes, such as the line of a file. */
export const failureOf = (thrown: unknown): object =>
  thrown instanceof HomelabError
    ? {
        code: thrown.code,
        message: describeError(new HomelabError(thrown.code, thrown.message, { cause: thrown.cause })),
        hint: thrown.hint,
        subject: thrown.subject,
      }
    : { code: "E_INTERNAL", message: describeError(thrown) };

/** Ends the program with the failure as the orchestrator reads it, and exit code 1. */
export function fail(thrown: unknown): void {
  process.stderr.write(`${JSON.stringify(failureOf(thrown))}\n`);
  process.exitCode = 1;
}

/** Prints an answer that needs no input. Where it fails, the exit code is 1. */
export function printAnswer(answer: () => object): void {
  try {
    process.stdout.write(`${JSON.stringify(answer(), null, 2)}\n`);
  } catch (thrown) {
    fail(thrown);
  }
}

/** Gives the answer to a question. Both are JSON. */
type Answer = (input: string) => Promise<object>;

/** For a caller in the same process (`askProgramHere` in orchestrator/target/ask-program.ts): what a child would print, as a value. */
export const answerOrFailure =
  (answer: Answer) =>
  (input: string): Promise<{ answer: object } | { failure: object }> =>
    answer(input).then(
      (result) => ({ answer: result }),
      (thrown: unknown) => ({ failure: failureOf(thrown) }),
    );

/** Answers the question on standard input. Where it fails, the exit code is 1. */
export function runChild(answer: Answer): void {
  readStdin()
    .then(answer)
    .then((result) => {
      process.stdout.write(`${JSON.stringify(result)}\n`);
    }, fail);
}
