/**
 * `homelab promote`: an image goes from one stage to the next, by its digest. It writes one file, atomically. A promotion that is interrupted
 * has either changed nothing or is complete, and the same command can be run again.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import type { Clock } from "../../common/clock";
import { removeCutWrites } from "../../common/cut-writes";
import { HomelabError } from "../../common/errors";
import { writeFileAtomic } from "../../common/files";
import { takeOwnerFile } from "../../common/owner-file";
import { projectRoot } from "../../common/paths";
import { shortImage } from "../charts/image-reference";
import type { Arguments } from "../cli/command";
import { EXIT, type ExitCode } from "../cli/exit-codes";
import { askByName, askToGoOn, REFUSED } from "../cli/gate";
import { runOwnCommand } from "../cli/own-command";
import type { Session } from "../cli/session";
import { findApp, readApps, settingsOf } from "./app-facts";
import { moveOf, wantedOf } from "./moves";
import { checkHost, promoteByPull } from "./promote-by-pull";
import { type Move, refuse } from "./promotion";
import { imagesIn, withImage } from "./settings-images";

/** How long a stage's tests may take. */
const VERIFY_MS = 30 * 60_000;
const LOCK_MS = 10_000;
const LOCK_STEP_MS = 20;

/** Runs the tests of the stage that the image comes from. @throws HomelabError E_PROMOTION where they fail */
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
  // A pull request changes nothing that runs: whoever merges it agrees to the change.
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

/** Promotions of one checkout write one after another. The lock is held for a moment: nothing is asked meanwhile. */
async function oneAtATime(clock: Clock, write: () => void): Promise<void> {
  const lock = path.join(projectRoot(), ".homelab", "promotion.lock");
  fs.mkdirSync(path.dirname(lock), { recursive: true });
  for (const until = clock.now() + LOCK_MS; !takeOwnerFile(lock, clock); await clock.sleep(LOCK_STEP_MS))
    if (clock.now() > until) throw refuse(`another promotion has been writing for ${LOCK_MS / 1000} s`, lock, `end the process that ${lock} names`);
  try {
    write();
  } finally {
    fs.rmSync(lock, { force: true });
  }
}

/**
 * Writes the image into the stage's settings. Another promotion may have written meanwhile: of another application, then both stay; of
 * this one, then nothing is written.
 */
async function writeImage({ app, to, now, next }: Move, clock: Clock): Promise<void> {
  const name = settingsOf(to.name);
  const file = path.join(projectRoot(), name);
  await oneAtATime(clock, () => {
    const text = fs.readFileSync(file, "utf8");
    const found = imagesIn(text)[app];
    if (found !== undefined && found !== now)
      throw refuse(`${name} has another image of ${app} than when the promotion began: ${found}`, to.name, "look who changed it, and run it again");
    removeCutWrites(file);
    writeFileAtomic(file, withImage(name, text, app, next), fs.statSync(file).mode & 0o777);
  });
}

/**
 * @throws HomelabError E_USAGE, E_STACK_UNKNOWN, E_APP_UNKNOWN, E_PROMOTION, E_IMAGE, E_REGISTRY, E_IMAGE_UNKNOWN, E_REFUSED, E_CONFIG_FILE; nothing is
 * changed then
 */
export async function promote(args: Arguments, session: Session): Promise<ExitCode> {
  const [app = ""] = args.words;
  const wanted = wantedOf(app, { from: args.text("from"), image: args.text("image"), to: args.text("to"), back: args.flag("back") });
  const { to } = wanted;
  const { site, stacks } = await readApps();
  const move = await moveOf(stacks, app, wanted);
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
  await writeImage(move, session.clock);
  const delivered = findApp(stacks, to, app).app.delivery === "argo-cd" ? `homelab render ${to}, then commit and push` : `homelab up ${to}`;
  session.out(`wrote ${settingsOf(to)}; next: ${delivered}\n`);
  return EXIT.done;
}
