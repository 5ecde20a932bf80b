/**
 * `homelab promote`: an image goes from one stage to the next, by its digest. What is written is one file, as a whole: a promotion that is
 * cut at any moment has either not happened or is done, and the same command goes on.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { removeCutWrites } from "../../common/cut-writes";
import { HomelabError } from "../../common/errors";
import { writeFileAtomic } from "../../common/files";
import { projectRoot } from "../../common/paths";
import { isSameImage, parseImage, shortImage } from "../charts/image-reference";
import type { Arguments } from "../cli/command";
import { EXIT, type ExitCode } from "../cli/exit-codes";
import { askByName, askToGoOn, REFUSED } from "../cli/gate";
import { runOwnCommand } from "../cli/own-command";
import type { Session } from "../cli/session";
import { type AppFacts, findApp, isAfter, readApps, type StackApps, settingsOf } from "./app-facts";
import { isCommitted, textsOf } from "./git-history";
import { checkHost, promoteByPull } from "./promote-by-pull";
import { type Move, refuse } from "./promotion";
import { pinned } from "./registry";
import { imagesIn, withImage } from "./settings-images";

/** How long a stage's tests may take. */
const VERIFY_MS = 30 * 60_000;

function checkMovable({ movable, name, image }: AppFacts, stack: string): void {
  if (!movable)
    throw refuse(
      `${name} does not take its image from the settings of ${stack}`,
      name,
      `give it image: { setting: "images" } in site/apps; it is ${image} now`,
    );
}

/** The image of the stage before. */
async function forward(stacks: readonly StackApps[], app: string, from: string, to: string): Promise<Move> {
  const source = findApp(stacks, from, app);
  const target = findApp(stacks, to, app);
  if (from === to) throw refuse(`${app} is to go from ${from} to ${to}, which are the same`, app, "name two stages");
  if (!isAfter(stacks, to, from)) {
    const hint = isAfter(stacks, from, to)
      ? `an image goes from ${to} to ${from}; to go back in ${to}, run homelab promote ${app} --to ${to} --back`
      : `${to} needs to come after ${from} in site/stacks.ts`;
    throw refuse(`${to} is no stage after ${from}`, app, hint);
  }
  checkMovable(target.app, to);
  if (!(await isCommitted(projectRoot(), settingsOf(from))))
    throw refuse(`${settingsOf(from)} has changes that no commit has: what ${from} runs is not certain`, from, "commit them and bring it up first");
  return { app, from: source.stack, to: target.stack, now: target.app.image, next: await pinned(parseImage(source.app.image)) };
}

/** An image that was just built, for the first stage: later ones get what the stage before them has run. */
async function built(stacks: readonly StackApps[], app: string, image: string, to: string): Promise<Move> {
  const target = findApp(stacks, to, app);
  checkMovable(target.app, to);
  const before = stacks.find(({ name, apps }) => apps.some((other) => other.name === app) && isAfter(stacks, to, name));
  if (before !== undefined)
    throw refuse(`${to} is not the first stage of ${app}`, app, `an image gets there by homelab promote ${app} --from ${before.name} --to ${to}`);
  const [wanted, own] = [parseImage(image), parseImage(target.app.image)];
  if (wanted.digest === undefined) throw refuse(`${image} has no digest`, app, "name it as the build did, with @sha256:…: a tag may be another image tomorrow");
  if (wanted.registry !== own.registry || wanted.repository !== own.repository)
    throw refuse(
      `${image} is not of ${own.registry}/${own.repository}, where the images of ${app} are`,
      app,
      `name one of those, or change ${settingsOf(to)} by hand`,
    );
  return { app, from: undefined, to: target.stack, now: target.app.image, next: await pinned(wanted) };
}

/** The image that was there before this one. */
async function backward(stacks: readonly StackApps[], app: string, to: string): Promise<Move> {
  const target = findApp(stacks, to, app);
  checkMovable(target.app, to);
  for await (const text of textsOf(projectRoot(), settingsOf(to))) {
    const before = imagesIn(text)[app];
    // The same image under another name (with its digest, with another tag) is no way back.
    if (before !== undefined && !isSameImage(before, target.app.image))
      return { app, from: undefined, to: target.stack, now: target.app.image, next: await pinned(parseImage(before)) };
  }
  throw refuse(`no commit has another image of ${app} in ${to}`, app, "name one in its settings by hand");
}

/** The stage's own word on whether what runs there works. @throws HomelabError E_PROMOTION */
async function verify({ app, from, next }: Move, session: Session): Promise<void> {
  const { verify: command = [] } = from ?? {};
  if (from === undefined || command.length === 0) return;
  session.err(`${from.name}: ${command.join(" ")}\n`);
  const failure = await runOwnCommand(command, { HOMELAB_PROMOTION: JSON.stringify({ app, stack: from.name, image: next }) }, session, VERIFY_MS);
  if (failure !== undefined)
    throw refuse(
      `the tests of ${from.name} (${command.join(" ")}) failed: ${app} stays where it is. The command ${failure}`,
      from.name,
      "see what they printed",
    );
}

/** @returns whether it is agreed to. @throws HomelabError E_REFUSED where nobody can be asked */
async function agreed({ app, to }: Move, site: string, args: Arguments, session: Session): Promise<boolean> {
  // A request changes nothing: who merges it agrees.
  if (args.text("pull-request") !== undefined) {
    if (args.flag("yes")) return true;
    if (session.terminal.asks) return askToGoOn(session, `Open a pull request for ${app} in ${to.name}?`);
    throw new HomelabError(REFUSED, "homelab promote opens a pull request, and there is no terminal to ask at", {
      subject: to.name,
      hint: "add --yes in a script",
    });
  }
  const approved = (args.text("approve") ?? "").split(",").some((word) => word === "production" || word === "all");
  if (to.production ? approved : args.flag("yes")) return true;
  if (!session.terminal.asks)
    throw new HomelabError(REFUSED, `homelab promote changes ${to.name}, and there is no terminal to ask at`, {
      subject: to.name,
      hint: to.production ? "add --approve production in a script" : "add --yes in a script",
    });
  return to.production ? askByName(session, `This changes ${app} in ${to.name} of`, site) : askToGoOn(session, `Write it into ${settingsOf(to.name)}?`);
}

/** What is to be moved, as the flags say it. */
async function asked(app: string, args: Arguments): Promise<{ site: string; to: string; stacks: readonly StackApps[]; move: Move }> {
  const [from, image, to, back] = [args.text("from"), args.text("image"), args.text("to"), args.flag("back")];
  if (to === undefined || [from !== undefined, image !== undefined, back].filter(Boolean).length !== 1)
    throw new HomelabError("E_USAGE", "homelab promote needs --to, and one of --from, --image and --back", {
      hint: `homelab promote ${app} --from dev --to stg`,
    });
  const { site, stacks } = await readApps();
  if (from !== undefined) return { site, to, stacks, move: await forward(stacks, app, from, to) };
  return { site, to, stacks, move: image === undefined ? await backward(stacks, app, to) : await built(stacks, app, image, to) };
}

/**
 * @throws HomelabError E_USAGE, E_STACK_UNKNOWN, E_APP_UNKNOWN, E_PROMOTION, E_IMAGE, E_REGISTRY, E_IMAGE_UNKNOWN, E_REFUSED, E_CONFIG_FILE; nothing is
 * changed then
 */
export async function promote(args: Arguments, session: Session): Promise<ExitCode> {
  const [app = ""] = args.words;
  const { site, to, stacks, move } = await asked(app, args);
  session.out(`${app} in ${to}: ${shortImage(move.now)} → ${shortImage(move.next)}\n`);
  if (move.now === move.next) {
    session.out(`${to} has it already\n`);
    return EXIT.done;
  }
  const host = args.text("pull-request");
  if (host !== undefined) checkHost(host);
  await verify(move, session);
  if (!(await agreed(move, site, args, session))) return EXIT.refused;
  if (host !== undefined) return promoteByPull(move, host, session);
  const file = path.join(projectRoot(), settingsOf(to));
  const text = fs.readFileSync(file, "utf8");
  removeCutWrites(file);
  writeFileAtomic(file, withImage(settingsOf(to), text, app, move.next), fs.statSync(file).mode & 0o777);
  const delivered = findApp(stacks, to, app).app.delivery === "argo-cd" ? `homelab render ${to}, then commit and push` : `homelab up ${to}`;
  session.out(`wrote ${settingsOf(to)}; next: ${delivered}\n`);
  return EXIT.done;
}
