/** `homelab images`. */
import * as fs from "node:fs";
import * as path from "node:path";
import { writeFileAtomic } from "../../common/files";
import { projectRoot } from "../../common/paths";
import { parseImage } from "../charts/image-reference";
import { type Arguments, usageError } from "../cli/arguments";
import { EXIT, type ExitCode } from "../cli/exit-codes";
import { IMAGE_BUILDERS } from "../cli/flags";
import type { Session } from "../cli/session";
import { buildImage, labelsOf } from "./build-image";
import { allBuilds, imageTable, LIST, loadImageList } from "./image-list";
import { pinnedList } from "./pin-images";

/** Readable for everybody, as the checkout's files are. */
const LIST_MODE = 0o644;

async function pin(args: Arguments, session: Session): Promise<ExitCode> {
  const file = path.join(projectRoot(), LIST);
  const { text, written } = await pinnedList(fs.readFileSync(file, "utf8"), args.flag("fresh"));
  if (written.length === 0) session.out("all bases and tools are pinned\n");
  else {
    writeFileAtomic(file, text, LIST_MODE);
    session.out(`${written.join("\n")}\n`);
  }
  return EXIT.done;
}

async function build(args: Arguments, session: Session): Promise<ExitCode> {
  const [name = ""] = args.words;
  const push = args.flag("push");
  const tag = args.text("tag") ?? (push ? undefined : `localhost/${name}:local`);
  if (tag === undefined) throw usageError("what is pushed needs a name", "add --tag <registry>/<repository>:<tag>");
  parseImage(tag);
  const builder = IMAGE_BUILDERS.find((one) => one === args.text("builder"));
  const options = { tag, push, builder, digestFile: args.text("digest-file") };
  await buildImage(loadImageList(projectRoot()), name, await labelsOf(args.text("version")), args.flag("unpinned"), options, session);
  session.out(`${tag}\n`);
  return EXIT.done;
}

export async function manageImages(args: Arguments, session: Session, verb: string): Promise<ExitCode> {
  if (verb === "pin") return pin(args, session);
  if (verb === "build") return build(args, session);
  const list = loadImageList(projectRoot());
  const version = args.text("version");
  if (args.flag("json")) session.out(`${JSON.stringify({ version: 1, images: allBuilds(list, await labelsOf(version)) }, undefined, 2)}\n`);
  else if (version !== undefined) throw usageError("the table has no labels", "add --json, or leave out --version");
  else session.out(imageTable(list));
  return EXIT.done;
}
