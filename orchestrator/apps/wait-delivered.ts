/** `homelab delivered`: waits until the homelab's own pipeline has delivered the last change of a stage's settings. */
import * as fs from "node:fs";
import * as path from "node:path";
import { HomelabError } from "../../common/errors";
import { projectRoot } from "../../common/paths";
import { type Arguments, positive, usageError } from "../cli/arguments";
import { EXIT, type ExitCode } from "../cli/exit-codes";
import type { Session } from "../cli/session";
import { hostOf } from "../pull-request/given-files";
import { atHost, type PoliteFetch } from "../pull-request/polite-fetch";
import { githubReader, gitlabReader } from "../pull-request/run-facts";
import { settingsOf } from "./app-facts";
import { type Contains, type DeliveryHost, githubDelivery, gitlabDelivery, waitUntilDelivered } from "./delivered";
import { isAncestor, lastCommitOf } from "./git-history";

const MINUTES = 60;

/** Answers are kept: the clone does not change while the command waits, and it asks about the same runs again and again. */
function historyOf(root: string): Contains {
  const known = new Map<string, Promise<boolean>>();
  return (history, commit) => {
    const found = known.get(history) ?? isAncestor(root, commit, history);
    known.set(history, found);
    return found;
  };
}

/** Without the program, which an application's pipeline need not be able to load. @throws HomelabError E_STACK_UNKNOWN */
function checkStage(stack: string): void {
  if (/^[\w-]+$/.test(stack) && fs.existsSync(path.join(projectRoot(), settingsOf(stack)))) return;
  throw new HomelabError("E_STACK_UNKNOWN", `there is no stack ${stack}`, { subject: stack, hint: `${settingsOf(stack)} would have its settings` });
}

/** @throws HomelabError E_USAGE, E_STACK_UNKNOWN, E_NO_RUN, E_GIT, E_DELIVERY, and what the host answered */
export async function waitDelivered(args: Arguments, session: Session): Promise<ExitCode> {
  const [stack = ""] = args.words;
  const host = hostOf(args, "delivered");
  if (host === undefined) throw usageError("delivered takes --github or --gitlab", "see `homelab help delivered`");
  checkStage(stack);
  const minutes = positive(args.text("minutes"), MINUTES, "--minutes");
  const given = args.text("commit");
  if (given !== undefined && !/^[0-9a-f]{40}$/.test(given)) throw usageError("--commit takes a commit's whole hash", "see `git rev-parse main`");
  const wait = <F extends { readonly api: string; readonly token: string }>(facts: F, deliveryOf: (facts: F, polite: PoliteFetch) => DeliveryHost) =>
    atHost(session, facts, async (polite) => {
      const commit = given ?? (await lastCommitOf(projectRoot(), settingsOf(stack)));
      const awaited = { host: deliveryOf(facts, polite), commit, contains: historyOf(projectRoot()), minutes };
      return waitUntilDelivered(awaited, session.clock, session.err);
    });
  const page = host === "github" ? await wait(githubReader(), githubDelivery) : await wait(gitlabReader(), gitlabDelivery);
  session.out(`${settingsOf(stack)} is delivered: ${page}\n`);
  return EXIT.done;
}
