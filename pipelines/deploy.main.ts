/**
 * `npm run deploy`: one promotion, its manifests, one commit, pushed to main. What is wanted is in the environment (DEPLOY_APP, DEPLOY_TO, and
 * one of DEPLOY_IMAGE, DEPLOY_FROM, DEPLOY_BACK), where the hosts put it and no shell reads it.
 */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { z } from "zod";
import { childEnv, readEnv } from "../common/env";
import { HomelabError } from "../common/errors";
import { runMain } from "./failure";
import { credentials, git } from "./git";

const BRANCH = "main";
/** Somebody else's push may come first. After so many tries the job fails. */
const TRIES = 5;
const AUTHOR = ["-c", "user.name=homelab deploy", "-c", "user.email=deploy@homelab.invalid"];

const name = z.string().regex(/^[a-z0-9][a-z0-9-]*$/, "no name of lower-case letters, digits and hyphens");
const wantedSchema = z
  .object({
    app: name,
    to: name,
    image: z
      .string()
      .regex(/^[a-z0-9][\w./:@-]*$/, "no image")
      .optional(),
    from: name.optional(),
    back: z.enum(["true", "false"]).optional(),
  })
  .refine(({ image, from, back }) => [image !== undefined, from !== undefined, back === "true"].filter(Boolean).length === 1, {
    error: "one of DEPLOY_IMAGE, DEPLOY_FROM and DEPLOY_BACK=true is needed",
  });
type Wanted = z.infer<typeof wantedSchema>;

/** @throws HomelabError E_DEPLOY that names the variable */
function wanted(): Wanted {
  // An input that was not given arrives empty.
  const read = (key: string): string | undefined => readEnv(`DEPLOY_${key}`) || undefined;
  const parsed = wantedSchema.safeParse({ app: read("APP"), to: read("TO"), image: read("IMAGE"), from: read("FROM"), back: read("BACK") });
  if (parsed.success) return parsed.data;
  const said = parsed.error.issues.map(({ path: at, message }) => (at.length === 0 ? message : `DEPLOY_${String(at[0]).toUpperCase()}: ${message}`));
  throw new HomelabError("E_DEPLOY", said.join("; "), { hint: "DEPLOY_APP and DEPLOY_TO name application and stage" });
}

function homelab(folder: string, ...args: string[]): number {
  // The stage's tests are its child processes: they must not be able to push.
  const env = childEnv({ GITHUB_TOKEN: undefined, GITLAB_TOKEN: undefined });
  const { status, error } = spawnSync(process.execPath, [path.join(folder, "orchestrator/bin/homelab"), ...args], { cwd: folder, env, stdio: "inherit" });
  if (error !== undefined) throw new HomelabError("E_DEPLOY", `homelab ${args[0]} could not be run`, { cause: error });
  return status ?? 1;
}

/** Brings the checkout to main's head. @throws HomelabError where something here is not in main: it would be lost, or pushed unseen */
function atMain(folder: string): void {
  if (git(folder, "status", "--porcelain", "--untracked-files=no") !== "")
    throw new HomelabError("E_DIRTY", "files that Git knows are changed", { hint: "commit them, or put them aside" });
  git(folder, ...credentials(), "fetch", "--quiet", "origin", BRANCH);
  if (git(folder, "rev-list", "FETCH_HEAD..HEAD") !== "")
    throw new HomelabError("E_DEPLOY", "this checkout has commits that main does not have", {
      hint: `push them first, or run it in a clean checkout of ${BRANCH}`,
    });
  git(folder, "reset", "--quiet", "--hard", "FETCH_HEAD");
}

const subjectOf = ({ app, to, image, from }: Wanted): string => {
  if (image !== undefined) return `ci(gitops): ${app} in ${to} runs what was built`;
  return from === undefined ? `ci(gitops): ${app} in ${to} goes back` : `ci(gitops): ${app} in ${to} runs what ${from} runs`;
};

/** @returns exit code of the command that failed; 0 where the change is committed here, undefined where there is none to make */
function change(folder: string, asked: Wanted): number | undefined {
  const { app, to, image, from } = asked;
  const source = image !== undefined ? ["--image", image] : from !== undefined ? ["--from", from] : ["--back"];
  // Agreement comes from the right to start the job, and from the environment's approval.
  const promoted = homelab(folder, "promote", app, "--to", to, ...source, "--yes", "--approve", "production");
  if (promoted !== 0) return promoted;
  const manifests = path.join("gitops", to);
  const isRendered = fs.existsSync(path.join(folder, manifests));
  const rendered = isRendered ? homelab(folder, "render", to) : 0;
  if (rendered !== 0) return rendered;
  git(folder, "add", "--all", "--", `Pulumi.${to}.yaml`, ...(isRendered ? [manifests] : []));
  if (git(folder, "diff", "--cached", "--name-only") === "") return undefined;
  git(folder, ...AUTHOR, "commit", "--quiet", "-m", subjectOf(asked));
  return 0;
}

/** @returns false where somebody else's push came first. @throws HomelabError E_GIT where the push fails for another reason */
function pushed(folder: string): boolean {
  try {
    git(folder, ...credentials(), "push", "--quiet", "origin", `HEAD:refs/heads/${BRANCH}`);
    return true;
  } catch (thrown) {
    git(folder, ...credentials(), "fetch", "--quiet", "origin", BRANCH);
    if (git(folder, "rev-list", "HEAD..FETCH_HEAD") === "") throw thrown;
    // Only our own commit is lost by this. It is made again on top of the new head.
    git(folder, "reset", "--quiet", "--hard", "FETCH_HEAD");
    return false;
  }
}

runMain(() => {
  if (process.argv.length > 2) {
    process.stderr.write("usage: npm run deploy, with DEPLOY_APP, DEPLOY_TO, and one of DEPLOY_IMAGE, DEPLOY_FROM and DEPLOY_BACK=true\n");
    return 2;
  }
  const [folder, asked] = [process.cwd(), wanted()];
  for (let tries = 0; tries < TRIES; tries++) {
    atMain(folder);
    const code = change(folder, asked);
    if (code === undefined) return 0;
    if (code !== 0) return code;
    if (pushed(folder)) {
      process.stdout.write(`pushed: ${subjectOf(asked)}\n`);
      return 0;
    }
    process.stderr.write(`note: somebody else pushed to ${BRANCH} meanwhile: trying again\n`);
  }
  throw new HomelabError("E_DEPLOY", `others pushed to ${BRANCH} ${TRIES} times meanwhile`, { hint: "run the job again: nothing was pushed" });
});
