import { z } from "zod";
import { HomelabError } from "./errors";

/**
 * The task that a command of ours gets as JSON on standard input. A task may hold keys and tokens, so no error quotes it.
 * @throws HomelabError E_USAGE for a text that is no JSON or has another form
 */
export function taskInput<T>(schema: z.ZodType<T>, input: string): T {
  let value: unknown;
  try {
    value = JSON.parse(input);
  } catch {
    // The parser's own error quotes the text.
    throw new HomelabError("E_USAGE", input.trim() === "" ? "no task is on standard input" : "the task on standard input is no JSON", {
      hint: "`homelab up` gives it; by hand, pipe the whole task into the command",
    });
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw new HomelabError("E_USAGE", `the task is not of the right form: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}
