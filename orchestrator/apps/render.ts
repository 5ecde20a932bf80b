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
import { askProgram } from "../target/program";

const answerSchema = z.object({ stack: z.string(), files: z.record(z.string(), z.string()) });

/** How the files of a folder differ from what was rendered. */
export interface Difference {
  readonly missing: readonly string[];
  readonly changed: readonly string[];
  /** Files of ours that are not written any more. */
  readonly extra: readonly string[];
  /** Files of somebody else that stand where ours would be. */
  readonly foreign: readonly string[];
}

/** How each file begins that was rendered: others in the folder are somebody else's. */
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

/**
 * Brings the folder to what was rendered: each file as a whole, and those that are not written any more go last.
 * @throws HomelabError E_RENDER before anything is written, where a file would be written over that is none of ours
 */
export function bring(folder: string, files: Readonly<Record<string, string>>, { missing, changed, extra, foreign }: Difference): void {
  const [first] = foreign;
  if (first !== undefined)
    throw new HomelabError("E_RENDER", `${path.join(folder, first)} was not written by homelab render, and would be written over`, {
      subject: folder,
      hint: "name a folder of its own with --out, or move that file away",
    });
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

/**
 * The files of a stack. @param images by application, in the place of what its settings name
 * @throws HomelabError E_STACK_UNKNOWN, E_RENDER; and what a plan is refused with
 */
export const renderedFiles = async (stack: string, images: Readonly<Record<string, string>> = {}): Promise<z.infer<typeof answerSchema>> =>
  answerSchema.parse(await askProgram("render-apps", JSON.stringify({ stack, images })));

/** Where they are kept in the checkout. */
export const gitopsFolder = (stack: string): string => path.join("gitops", stack);

/** @throws HomelabError E_STACK_UNKNOWN, E_RENDER; and what a plan is refused with */
export async function render(args: Arguments, session: Session): Promise<ExitCode> {
  const [wanted = ""] = args.words;
  const { stack, files } = await renderedFiles(wanted);
  const shown = args.text("out") ?? gitopsFolder(stack);
  const folder = path.resolve(args.text("out") === undefined ? projectRoot() : ".", shown);
  const difference = differenceOf(folder, files);
  const { missing, changed, extra } = difference;
  const lines = [...missing.map((name) => `+ ${name}`), ...changed.map((name) => `~ ${name}`), ...extra.map((name) => `- ${name}`)];
  if (!args.flag("check")) bring(folder, files, difference);
  for (const line of lines) session.out(`${line}\n`);
  const count = counted(Object.keys(files).length, "file");
  if (lines.length === 0) session.out(`${shown}: ${count}, all current\n`);
  else if (args.flag("check")) session.out(`${shown} is not current: run \`homelab render ${stack}\`\n`);
  else session.out(`${shown}: ${count}, ${lines.length} of them changed\n`);
  return args.flag("check") && lines.length > 0 ? EXIT.changes : EXIT.done;
}
