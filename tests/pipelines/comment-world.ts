/** Runs `homelab comment` and `homelab issue` in this process, with a clock that does not sleep, against the lab's APIs of both hosts. */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { describeError } from "../../common/errors";
import { createRedactor } from "../../common/redact";
import { type CommentHosts, startCommentHosts } from "../../lab/comments";
import type { Session } from "../../orchestrator/cli/session";
import { runCommandLine } from "../../orchestrator/command-line";
import type { RunReport } from "../../orchestrator/report/report-schema";

export const HEAD = "a".repeat(40);
export const TOKEN = "ghs_abcdefghijklmnopqrstuvwxyz012345";
export const MARKER = "<!-- homelab:preview -->";

export const report = (fields: Partial<RunReport> = {}): RunReport => ({
  ...{ version: 1, operation: "preview", site: "lab", engine: { name: "embedded", why: "test" } },
  ...{ startedAt: "2026-01-01T00:00:00.000Z", finishedAt: "2026-01-01T00:00:02.000Z", duration: 2_000, ok: true, changed: false, stacks: [] },
  ...fields,
});

export interface Ended {
  code: number;
  out: string;
  err: string;
}

export interface World {
  readonly hosts: CommentHosts;
  readonly dir: string;
  /** Milliseconds that the command has slept. */
  slept(): number;
  file(name: string, content: unknown): string;
  /** Runs `homelab` with these words. */
  homelab(...words: string[]): Promise<Ended>;
  /** Runs the command with these words after `comment`. */
  comment(...words: string[]): Promise<Ended>;
  close(): Promise<void>;
}

const NAMES = ["GITHUB_REPOSITORY", "GITHUB_API_URL", "GITHUB_TOKEN", "GITHUB_EVENT_PATH", "GITHUB_SERVER_URL", "GITHUB_RUN_ID", "GITHUB_SHA"];
const GITLAB_NAMES = ["CI_API_V4_URL", "CI_PROJECT_ID", "CI_MERGE_REQUEST_IID", "CI_COMMIT_SHA", "CI_PIPELINE_URL", "GITLAB_TOKEN"];

/** A workflow_run event as GitHub writes it. The event of a fork's run contains no pull request. */
export const workflowRun = (fields: object = {}) => ({
  workflow_run: {
    ...{ head_sha: HEAD, head_branch: "topic", html_url: "https://github.com/me/homelab/actions/runs/7", conclusion: "success" },
    ...{ head_repository: { owner: { login: "forker" } }, pull_requests: [] },
    ...fields,
  },
});

export async function startWorld(): Promise<World> {
  const hosts = await startCommentHosts("me/homelab", "42");
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "comment-"));
  const file = (name: string, content: unknown): string => {
    const target = path.join(dir, name);
    fs.writeFileSync(target, typeof content === "string" ? content : JSON.stringify(content));
    return target;
  };
  hosts.github.accounts.set(TOKEN, { id: 1, login: "github-actions[bot]", kind: "job", rights: "write" });
  hosts.gitlab.accounts.set(TOKEN, { id: 1, login: "project_42_bot", kind: "person", rights: "write" });
  for (const host of ["github", "gitlab"] as const) hosts.open(host, { number: 7, head: HEAD, label: "forker:topic" });
  Object.assign(process.env, {
    ...{ GITHUB_REPOSITORY: "me/homelab", GITHUB_API_URL: hosts.url, GITHUB_TOKEN: TOKEN, GITHUB_EVENT_PATH: file("event.json", workflowRun()) },
    ...{ CI_API_V4_URL: `${hosts.url}/api/v4`, CI_PROJECT_ID: "42", CI_MERGE_REQUEST_IID: "7", CI_COMMIT_SHA: HEAD, GITLAB_TOKEN: TOKEN },
    CI_PIPELINE_URL: "https://gitlab.example/group/homelab/-/pipelines/9",
  });
  let slept = 0;
  const homelab = async (...words: string[]): Promise<Ended> => {
    let [out, err] = ["", ""];
    const redactor = createRedactor();
    const write = (add: (text: string) => void) => (text: string) => add(redactor.redact(text));
    const session = {
      out: write((text) => {
        out += text;
      }),
      err: write((text) => {
        err += text;
      }),
      redactor,
      clock: {
        now: () => Date.now() + slept,
        sleep: async (ms: number) => {
          slept += ms;
        },
      },
    } as unknown as Session;
    try {
      return { code: await runCommandLine(words, session), out, err };
    } catch (thrown) {
      session.err(`error: ${describeError(thrown)}\n`);
      return { code: 1, out, err };
    }
  };
  return {
    hosts,
    dir,
    slept: () => slept,
    file,
    homelab,
    comment: (...words) => homelab("comment", ...words),
    async close() {
      for (const name of [...NAMES, ...GITLAB_NAMES]) delete process.env[name];
      await hosts.stop();
      fs.rmSync(dir, { recursive: true, force: true });
    },
  };
}
