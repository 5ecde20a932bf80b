/** A mistake in the files of the checkout that shows only when they are loaded, as an error that names the file. */
import * as path from "node:path";
import { inspect } from "node:util";
import { HomelabError } from "../common/errors";

const BIN = path.join(__dirname, "..");

/** `site/stacks.ts` of its compiled file; undefined: it is none of the checkout. */
function sourceOf(file: string): string | undefined {
  const below = path.relative(BIN, file);
  return below.startsWith("..") || path.isAbsolute(below) || !below.endsWith(".js") ? undefined : below.replaceAll(path.sep, "/").replace(/\.js$/, ".ts");
}

/** The sources of an error's frames, the innermost first. */
const sourcesIn = (stack = ""): string[] => [...stack.matchAll(/^ {4}at (?:.*\()?([^()\n]+?):\d+:\d+\)?$/gm)].flatMap(([, file = ""]) => sourceOf(file) ?? []);

function missingImport(thrown: Error & { code?: unknown; requireStack?: unknown }): HomelabError | undefined {
  if (thrown.code !== "MODULE_NOT_FOUND" || !Array.isArray(thrown.requireStack)) return undefined;
  const [from] = thrown.requireStack.flatMap((file) => sourceOf(String(file)) ?? []);
  const wanted = /^Cannot find module '([^']+)'/.exec(thrown.message)?.[1];
  if (from === undefined || wanted === undefined) return undefined;
  return wanted.startsWith(".")
    ? new HomelabError("E_PROGRAM_FILE", `${from} imports "${wanted}", and there is no such file`, {
        subject: from,
        hint: "restore the file, or remove the import and what uses it",
      })
    : new HomelabError("E_PROGRAM_FILE", `${from} imports "${wanted}", which is not installed`, { subject: from, hint: "run `npm ci`" });
}

/** @returns undefined for a mistake that is not the checkout's owner's, as far as can be seen */
export function loadFailure(thrown: unknown): HomelabError | undefined {
  if (thrown instanceof HomelabError) return thrown;
  // The program itself throws nothing but errors.
  if (!(thrown instanceof Error))
    return new HomelabError("E_PROGRAM_FILE", `a file of site/ throws ${inspect(thrown)}, which is no Error: nothing tells which file`, {
      hint: "throw `new Error(…)` in its place, so that the next run names the file; `git diff site/` shows what changed",
    });
  const missing = missingImport(thrown);
  if (missing !== undefined) return missing;
  const [inner] = sourcesIn(thrown.stack);
  if (inner?.startsWith("site/") !== true) return undefined;
  return new HomelabError("E_PROGRAM_FILE", `${inner}: ${thrown.message}`, {
    subject: inner,
    hint: "correct the file, or a file that it imports; `npm run typecheck` finds most such mistakes",
  });
}
