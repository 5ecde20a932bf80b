/** A promotion as a pull request in the homelab's repository: its files, its title and text, and the host that it is opened on. */
import * as fs from "node:fs";
import * as path from "node:path";
import { projectRoot } from "../../common/paths";
import { shortImage } from "../charts/image-reference";
import { usageError } from "../cli/arguments";
import { EXIT, type ExitCode } from "../cli/exit-codes";
import type { Session } from "../cli/session";
import { githubPromotion } from "../pull-request/github-promotion";
import { gitlabPromotion } from "../pull-request/gitlab-promotion";
import { type Change, openPull } from "../pull-request/one-promotion";
import { createPoliteFetch } from "../pull-request/polite-fetch";
import { githubWriter, gitlabWriter } from "../pull-request/run-facts";
import { settingsOf } from "./app-facts";
import { headOf, isCommitted } from "./git-history";
import { type Move, refuse } from "./promotion";
import { differenceOf, gitopsFolder, renderedFiles } from "./render";
import { withImage } from "./settings-images";

const HOSTS = ["github", "gitlab"] as const;
type HostName = (typeof HOSTS)[number];

/** @throws HomelabError E_USAGE for another host */
export function checkHost(host: string | undefined): asserts host is HostName {
  if (!(HOSTS as readonly (string | undefined)[]).includes(host))
    throw usageError(`--pull-request takes github or gitlab, not ${host}`, "see `homelab help promote`");
}

/** The files that the promotion changes in Git: the settings, and the manifests that are rendered from them. */
async function changedFiles({ app, to, next }: Move): Promise<Map<string, string | undefined>> {
  const root = projectRoot();
  const settings = settingsOf(to.name);
  const changed = new Map<string, string | undefined>([[settings, withImage(settings, fs.readFileSync(path.join(root, settings), "utf8"), app, next)]]);
  const folder = gitopsFolder(to.name);
  // Manifests are added only where the checkout has them already.
  if (!fs.existsSync(path.join(root, folder))) return changed;
  const files = await renderedFiles(to.name, { [app]: next });
  const { missing, changed: others, extra } = differenceOf(path.join(root, folder), files);
  const inGit = (name: string): string => `${folder.replaceAll(path.sep, "/")}/${name}`;
  for (const name of [...missing, ...others]) changed.set(inGit(name), files[name]);
  for (const name of extra) changed.set(inGit(name), undefined);
  return changed;
}

const digestOf = (image: string): string => /@sha256:([0-9a-f]{12})/.exec(image)?.[1] ?? "";

function wordsOf({ app, to, from, now, next }: Move): Pick<Change, "branch" | "title" | "body"> {
  const tested =
    from === undefined ? [] : [`It runs in ${from.name}${from.verify === undefined ? "" : `, whose tests (\`${from.verify.join(" ")}\`) passed for it`}.`];
  const lines = [
    `| | ${app} in ${to.name} |`,
    "|---|---|",
    `| now | \`${now}\` |`,
    `| then | \`${next}\` |`,
    "",
    ...tested,
    `Once it is merged, main's pipeline delivers it. Back: \`homelab promote ${app} --to ${to.name} --back\`.`,
  ];
  return { branch: `promote/${to.name}/${app}-${digestOf(next)}`, title: `deploy(${to.name}): ${app} ${shortImage(next)}`, body: `${lines.join("\n")}\n` };
}

/** @throws HomelabError E_NO_RUN, E_PROMOTION, HostError; nothing is changed in the checkout */
export async function promoteByPull(move: Move, hostName: string, session: Session): Promise<ExitCode> {
  checkHost(hostName);
  const root = projectRoot();
  for (const name of [settingsOf(move.to.name), gitopsFolder(move.to.name)])
    if (fs.existsSync(path.join(root, name)) && !(await isCommitted(root, name)))
      throw refuse(`${name} has changes that no commit has`, move.to.name, "commit or put them away first: the pull request is made of what main has");
  const change: Change = { ...wordsOf(move), files: await changedFiles(move) };
  const { facts, make } =
    hostName === "github"
      ? ((facts) => ({ facts, make: (polite: ReturnType<typeof createPoliteFetch>) => githubPromotion(facts, polite) }))(githubWriter())
      : ((facts) => ({ facts, make: (polite: ReturnType<typeof createPoliteFetch>) => gitlabPromotion(facts, polite) }))(gitlabWriter());
  session.redactor.register(facts.token);
  const polite = createPoliteFetch(facts.api, session.clock, session.err);
  try {
    const { url, opened } = await openPull(make(polite), change, await headOf(root));
    session.out(`${url} ${opened ? "is opened" : "is open already"}\n`);
    return EXIT.done;
  } finally {
    await polite.close();
  }
}
