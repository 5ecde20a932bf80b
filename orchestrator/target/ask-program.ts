/** Asks the program's own code, which answers in JSON. */
import * as path from "node:path";
import { z } from "zod";
import { spawn } from "../../common/children";
import { childEnv } from "../../common/env";
import { HomelabError } from "../../common/errors";
import { projectRoot } from "../../common/paths";

export const failureSchema = z.object({ code: z.string(), message: z.string(), hint: z.string().optional(), subject: z.string().optional() });

interface Finished {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** The process ends within a second. V8's optimising compiler and its threads for garbage collection would take a third of its processor time. */
const SHORT_RUN = ["--no-opt", "--single-threaded-gc", "--min-semi-space-size=16"];

/** @param file of bin/stacks */
function runNode(file: string, input: string, env: Readonly<Record<string, string>>): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...SHORT_RUN, "--require", path.join(path.dirname(file), "preload-command.js"), file], {
      env: childEnv(env),
      stdio: ["pipe", "pipe", "pipe"],
    });
    let stdout = "";
    let stderr = "";
    // The stream decodes: a character may come in two pieces.
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
    // The program need not read its input.
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
  });
}

function parseFailure(stderr: string): z.infer<typeof failureSchema> | undefined {
  const line = stderr.trim().split("\n").at(-1) ?? "";
  try {
    return failureSchema.parse(JSON.parse(line));
  } catch {
    // Not one of the program's own reports: the caller shows the raw text.
    return undefined;
  }
}

export const errorOf = ({ code, message, hint, subject }: z.infer<typeof failureSchema>): HomelabError =>
  new HomelabError(code, message, { ...(hint ? { hint } : {}), ...(subject ? { subject } : {}) });

/**
 * Runs one of the program's own commands and gives what it printed.
 * @param name file below bin/stacks, without `.js`
 * @param input its standard input: JSON, secrets included, which never are arguments
 * @param root of the checkout whose program it is
 * @throws HomelabError with the program's own code
 */
export async function askProgram(name: string, input = "", env: Readonly<Record<string, string>> = {}, root = projectRoot()): Promise<unknown> {
  const { code, stdout, stderr } = await runNode(path.join(root, "bin", "stacks", `${name}.js`), input, env);
  if (code === 0) return JSON.parse(stdout);
  const known = parseFailure(stderr);
  if (known === undefined) throw new Error(`the program could not be read (exit code ${code ?? "none"}): ${stderr}`);
  throw errorOf(known);
}

const hereSchema = z.union([z.object({ answer: z.unknown() }), z.object({ failure: failureSchema })]);

/**
 * As {@link askProgram}, without a process of its own: the start of one is a third of what such a command takes. For a command that only
 * asks and writes what it is told: it has no credentials, and whatever the site's code did would end with it.
 * @param name file below bin/stacks, without `.js`
 * @throws HomelabError with the program's own code
 */
export async function askProgramHere(name: string, input: string): Promise<unknown> {
  // Each schema is used once or twice: zod would make a function of its own of each first.
  z.config({ jitless: true });
  const entry = require(path.join(projectRoot(), "bin", "stacks", `${name}.js`)) as { answerHere: (input: string) => Promise<unknown> };
  const found = hereSchema.parse(await entry.answerHere(input));
  if ("failure" in found) throw errorOf(found.failure);
  return found.answer;
}
