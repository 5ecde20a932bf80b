/** `delivered`: waits for the run of the homelab's own pipeline that delivers what this checkout says of a stage. */
import { projectRoot } from "../../common/paths";
import { type Arguments, positive, usageError } from "../cli/arguments";
import { EXIT, type ExitCode } from "../cli/exit-codes";
import type { Session } from "../cli/session";
import { hostOf } from "../pull-request/given-files";
import { createPoliteFetch, type PoliteFetch } from "../pull-request/polite-fetch";
import { githubReader, gitlabReader } from "../pull-request/run-facts";
import { settingsOf } from "./app-facts";
import { type Contains, type DeliveryHost, githubDelivery, gitlabDelivery, waitUntilDelivered } from "./delivered";
import { isAncestor, lastCommitOf } from "./git-history";

const MINUTES = 60;

interface Asked {
  readonly facts: { readonly api: string; readonly token: string };
  readonly ask: (polite: PoliteFetch) => DeliveryHost;
}

function onGithub(): Asked {
  const facts = githubReader();
  return { facts, ask: (polite) => githubDelivery(facts, polite) };
}

function onGitlab(): Asked {
  const facts = gitlabReader();
  return { facts, ask: (polite) => gitlabDelivery(facts, polite) };
}

/** @throws HomelabError E_USAGE, E_NO_RUN, E_GIT, E_DELIVERY, and what the host answered */
export async function waitDelivered(args: Arguments, session: Session): Promise<ExitCode> {
  const [stack = ""] = args.words;
  const host = hostOf(args, "delivered");
  if (host === undefined) throw usageError("delivered takes --github or --gitlab", "see `homelab help delivered`");
  const minutes = positive(args.text("minutes"), MINUTES, "--minutes");
  const given = args.text("commit");
  if (given !== undefined && !/^[0-9a-f]{40}$/.test(given)) throw usageError("--commit takes a commit's whole hash", "see `git rev-parse main`");
  const contains: Contains = (history, wanted) => isAncestor(projectRoot(), wanted, history);
  const { facts, ask } = host === "github" ? onGithub() : onGitlab();
  session.redactor.register(facts.token);
  const commit = given ?? (await lastCommitOf(projectRoot(), settingsOf(stack)));
  const polite = createPoliteFetch(facts.api, session.clock, session.err);
  try {
    session.out(
      `${settingsOf(stack)} is delivered: ${await waitUntilDelivered({ host: ask(polite), commit, contains, minutes }, session.clock, session.err)}\n`,
    );
    return EXIT.done;
  } finally {
    await polite.close();
  }
}
