/** `homelab render`: the applications of a stack as files for Git. */

import * as fs from "node:fs";
import * as path from "node:path";
import { z } from "zod";
import { counted } from "../../common/counted";
import { HomelabError } from "../../common/errors";
import { writeFileAtomic } from "../../common/files";
import { projectRoot } from "../../common/paths";
import type { Arguments } from "../cli/command";
import { EXIT, type ExitCode } from "../cli/exit-codes";
import type { Session } from "../cli/session";
import { askProgram, askProgramHere } from "../target/ask-program";

const renderedSchema = z.object({ stack: z.string(), files: z.record(z.string(), z.string()) });
type Rendered = z.infer<typeof renderedSchema>;
const answerSchema = z.object({ stacks: z.array(renderedSchema) });

/** How the files of a folder differ from what was rendered. */
export interface Difference {
  readonly missing: readonly string[];
  readonly changed: readonly string[];
  /** Files that were rendered before and are not any more. */
  readonly extra: readonly string[];
  /** Files of somebody else in the places of ours. */
  readonly foreign: readonly string[];
}

/** Each rendered file begins with this line. Files without it are somebody else's. */
const OURS = /^# Written by `homelab render [^`\n]+`/;

/** YAML files below a folder, from there. */
function filesBelow(folder: string): string[] {
  if (!fs.existsSync(folder)) return [];
  return fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".yaml"))
    .map(({ parentPath, name }) => path.relative(folder, path.join(parentPath, name)).replaceAll(path.sep, "/"));
}

export function differenceOf(folder: string, files: Readonly<Record<string, string>>): Difference {
  const there = new Set(filesBelow(folder));
  const names = Object.keys(files);
  const text = (name: string): string => fs.readFileSync(path.join(folder, name), "utf8");
  const changed = names.filter((name) => there.has(name) && text(name) !== files[name]);
  return {
    missing: names.filter((name) => !there.has(name)),
    changed,
    extra: [...there].filter((name) => files[name] === undefined && OURS.test(text(name))).toSorted(),
    foreign: changed.filter((name) => !OURS.test(text(name))),
  };
}

/** @throws HomelabError E_RENDER where a file would be overwritten that `render` did not write */
function checkOurs(folder: string, { foreign: [first] }: Difference): void {
  if (first !== undefined)
    throw new HomelabError("E_RENDER", `${path.join(folder, first)} was not written by homelab render, and would be written over`, {
      subject: folder,
      hint: "name a folder of its own with --out, or move that file away",
    });
}

/**
 * Makes the folder equal to what was rendered. Each file is written atomically; files that are not rendered any more are removed last.
 * @throws HomelabError E_RENDER before anything is written, where a file would be overwritten that `render` did not write
 */
export function bring(folder: string, files: Readonly<Record<string, string>>, difference: Difference): void {
  checkOurs(folder, difference);
  const { missing, changed, extra } = difference;
  for (const name of [...missing, ...changed]) {
    const file = path.join(folder, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    writeFileAtomic(file, files[name] ?? "", 0o644);
  }
  for (const name of extra) {
    fs.rmSync(path.join(folder, name));
    const parent = path.dirname(path.join(folder, name));
    if (parent !== folder && fs.readdirSync(parent).length === 0) fs.rmdirSync(parent);
  }
}

const ENTRY = "render-apps";

/**
 * The files of a stack, by path from its folder. @param images by application, instead of those that the settings name
 * @throws HomelabError E_STACK_UNKNOWN, E_RENDER; and the errors with which the program refuses a plan
 */
export async function renderedFiles(stack: string, images: Readonly<Record<string, string>>): Promise<Rendered["files"]> {
  const { stacks } = answerSchema.parse(await askProgram(ENTRY, JSON.stringify({ stacks: [stack], images })));
  const [rendered] = stacks;
  if (rendered === undefined) throw new Error(`the program rendered nothing of ${stack}`);
  return rendered.files;
}

/** Where the rendered files of a stack are kept in the checkout. */
export const gitopsFolder = (stack: string): string => path.join("gitops", stack);

/** @returns the folder as it is shown to the user, and its absolute path */
function foldersOf(stack: string, args: Arguments): { shown: string; folder: string } {
  const out = args.text("out");
  if (out === undefined) return { shown: gitopsFolder(stack), folder: path.resolve(projectRoot(), gitopsFolder(stack)) };
  const shown = args.words.length === 1 ? out : path.join(out, stack);
  return { shown, folder: path.resolve(shown) };
}

/** @throws HomelabError E_STACK_UNKNOWN, E_RENDER; and the errors with which the program refuses a plan. Nothing is written then. */
export async function render(args: Arguments, session: Session): Promise<ExitCode> {
  const { stacks } = answerSchema.parse(await askProgramHere(ENTRY, JSON.stringify({ stacks: [...new Set(args.words)] })));
  const all = stacks.map(({ stack, files }) => {
    const { shown, folder } = foldersOf(stack, args);
    return { stack, files, shown, folder, difference: differenceOf(folder, files) };
  });
  if (!args.flag("check")) for (const { folder, difference } of all) checkOurs(folder, difference);
  let differs = false;
  for (const { stack, files, shown, folder, difference } of all) {
    const { missing, changed, extra } = difference;
    const lines = [...missing.map((name) => `+ ${name}`), ...changed.map((name) => `~ ${name}`), ...extra.map((name) => `- ${name}`)];
    if (!args.flag("check")) bring(folder, files, difference);
    for (const line of lines) session.out(`${line}\n`);
    const count = counted(Object.keys(files).length, "file");
    if (lines.length === 0) session.out(`${shown}: ${count}, all current\n`);
    else if (args.flag("check")) session.out(`${shown} is not current: run \`homelab render ${stack}\`\n`);
    else session.out(`${shown}: ${count}, ${lines.length} of them changed\n`);
    differs ||= lines.length > 0;
  }
  return args.flag("check") && differs ? EXIT.changes : EXIT.done;
}
