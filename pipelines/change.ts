/** Which change a run is about: from the host's own files and variables, never from text in a command. */
import * as fs from "node:fs";
import { z } from "zod";
import { readEnv } from "../common/env";
import { HomelabError } from "../common/errors";
import { git } from "./git";

export interface Change {
  /** Commits that the change adds, as Git names a range. */
  readonly range: string;
  /** Title of the pull request, where there is one. */
  readonly title: string | undefined;
}

const eventSchema = z.object({
  pull_request: z.object({
    title: z.string(),
    base: z.object({ sha: z.string().regex(/^[0-9a-f]{40}$/) }),
    head: z.object({ sha: z.string().regex(/^[0-9a-f]{40}$/) }),
  }),
});

function ofGithub(file: string): Change {
  let event: unknown;
  try {
    event = JSON.parse(fs.readFileSync(file, "utf8"));
  } catch (cause) {
    throw new HomelabError("E_EVENT", `the event's file ${file} cannot be read`, { cause, subject: file });
  }
  const parsed = eventSchema.safeParse(event);
  if (!parsed.success)
    throw new HomelabError("E_EVENT", "this run is not about a pull request", { subject: file, hint: "run it on the event pull_request", cause: parsed.error });
  const { title, base, head } = parsed.data.pull_request;
  return { range: `${base.sha}..${head.sha}`, title };
}

/**
 * The pull request of GitHub (GITHUB_EVENT_PATH), the merge request of GitLab (CI_MERGE_REQUEST_…), or what this branch adds to
 * origin/main.
 * @throws HomelabError E_EVENT for a run that is about no change
 */
export function changeOf(folder: string): Change {
  const event = readEnv("GITHUB_EVENT_PATH");
  if (event !== undefined) return ofGithub(event);
  if (readEnv("GITLAB_CI") !== undefined) {
    const [base, head] = [readEnv("CI_MERGE_REQUEST_DIFF_BASE_SHA"), readEnv("CI_COMMIT_SHA")];
    if (base === undefined || head === undefined)
      throw new HomelabError("E_EVENT", "this run is not about a merge request", { hint: "run it in a merge request's pipeline" });
    return { range: `${base}..${head}`, title: readEnv("CI_MERGE_REQUEST_TITLE") };
  }
  return { range: `${git(folder, "merge-base", "HEAD", "origin/main").trim()}..HEAD`, title: undefined };
}
