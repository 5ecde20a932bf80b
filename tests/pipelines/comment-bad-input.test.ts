/** Missing or wrong input of `homelab comment`, and failing hosts: one clear error, exit code 1, and nothing is posted. */
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { CLOSED_PORT } from "../support/ports";
import { HEAD, report, startWorld, TOKEN, type World, workflowRun } from "./comment-world";

let world: World;
beforeEach(async () => {
  world = await startWorld();
});
afterEach(() => world.close());

const set = (name: string, value: string | undefined): void => {
  if (value === undefined) delete process.env[name];
  else process.env[name] = value;
};
const event = (content: unknown) => (): void => void world.file("event.json", content);
const rights = (given: "read" | "write" | "none") => (): void => {
  for (const host of [world.hosts.github, world.hosts.gitlab]) {
    const account = host.accounts.get(TOKEN);
    host.accounts.clear();
    if (given !== "none" && account !== undefined) host.accounts.set(TOKEN, { ...account, rights: given });
  }
};
const change = (fields: object) => (): void => {
  for (const { pulls } of [world.hosts.github, world.hosts.gitlab]) Object.assign(pulls[0] ?? {}, fields);
};
const answer = (method: string, path: RegExp, status: number, body: unknown) => (): void =>
  world.hosts.fail({ method, path, times: 50, reply: { status, body } });

const stack = { stack: "dev", status: "succeeded", duration: 1, offset: 0, changes: {}, steps: [], diagnostics: [], unknowns: [] };

const CASES: [what: string, host: "github" | "gitlab", make: () => void | Promise<void>, said: RegExp][] = [
  ["no token", "github", () => set("GITHUB_TOKEN", undefined), /GITHUB_TOKEN is not set[\s\S]*\n {2}next: .*pull-requests: write/],
  ["no token", "gitlab", () => set("GITLAB_TOKEN", undefined), /GITLAB_TOKEN is not set[\s\S]*\n {2}next: .*scope api/],
  ["an empty token", "github", () => set("GITHUB_TOKEN", ""), /GITHUB_TOKEN is not set/],
  ["a token with a line end", "github", () => set("GITHUB_TOKEN", `${TOKEN}\nX-Evil: 1`), /GITHUB_TOKEN is not what it should be/],
  ["a token that nobody knows", "github", rights("none"), /answered 401[\s\S]*\n {2}next: the token is not accepted/],
  ["a token that nobody knows", "gitlab", rights("none"), /answered 401[\s\S]*\n {2}next: the token is not accepted/],
  ["a token that may only read", "github", rights("read"), /commenting: .*answered 403[\s\S]*\n {2}next: .*permissions: pull-requests: write/],
  ["a token that may only read", "gitlab", rights("read"), /commenting: .*answered 403[\s\S]*\n {2}next: .*scope api/],
  ["a closed pull request", "github", change({ state: "closed" }), /me\/homelab#7 is closed: nothing is posted/],
  ["a closed merge request", "gitlab", change({ state: "closed" }), /group\/homelab!7 is closed: nothing is posted/],
  ["a locked conversation", "github", change({ locked: true }), /commenting: .*answered 403/],
  ["a number that is not there", "github", event(workflowRun({ pull_requests: [{ number: 404 }] })), /finding the pull request: .*answered 404/],
  ["a number that is not there", "gitlab", () => set("CI_MERGE_REQUEST_IID", "404"), /finding the merge request: .*answered 404/],
  ["another repository", "github", () => set("GITHUB_REPOSITORY", "you/homelab"), /answered 404[\s\S]*\n {2}next: the repository/],
  ["a repository's name that is a path", "github", () => set("GITHUB_REPOSITORY", "../../user"), /GITHUB_REPOSITORY is not what it should be/],
  ["no event", "github", () => set("GITHUB_EVENT_PATH", undefined), /GITHUB_EVENT_PATH is not set/],
  ["an event's file that is not there", "github", () => set("GITHUB_EVENT_PATH", "/nowhere"), /event's file \/nowhere cannot be read/],
  ["an event that is no JSON", "github", event("{"), /event's file .* cannot be read/],
  ["an event of a push", "github", event({ ref: "refs/heads/main", after: HEAD }), /is about no pull request/],
  ["an event with an address that is Markdown", "github", event(workflowRun({ html_url: "https://x) [y](https://z" })), /is about no pull request/],
  [
    "a pipeline of a branch",
    "gitlab",
    () => set("CI_MERGE_REQUEST_IID", undefined),
    /CI_MERGE_REQUEST_IID is not set[\s\S]*\n {2}next: .*pipeline of a merge request/,
  ],
  ["a project that is a path", "gitlab", () => set("CI_PROJECT_ID", "1/../2"), /CI_PROJECT_ID is not what it should be/],
  ["an API that is no address", "github", () => set("GITHUB_API_URL", "api.github.com"), /GITHUB_API_URL is no address of an API/],
  ["an API without encryption", "github", () => set("GITHUB_API_URL", "http://github.example"), /GITHUB_API_URL is no address of an API: https/],
  ["another version of the API", "gitlab", () => set("CI_API_V4_URL", `${world.hosts.url}/api/v5`), /CI_API_V4_URL does not end with \/api\/v4/],
  ["an API that is down", "github", () => set("GITHUB_API_URL", `http://127.0.0.1:${CLOSED_PORT}`), /no answer[\s\S]*\n {2}next: check that 127\.0\.0\.1/],
  ["an API that is down", "gitlab", () => set("CI_API_V4_URL", `http://127.0.0.1:${CLOSED_PORT}/api/v4`), /no answer[\s\S]*\n {2}next: check/],
  ["an API with a fault", "github", answer("GET", /./, 503, "down"), /answered 503[\s\S]*\n {2}next: the host has a fault/],
  ["an API with a fault", "gitlab", answer("GET", /./, 500, "down"), /answered 500[\s\S]*\n {2}next: the host has a fault/],
  [
    "a proxy's page in the place of the comments",
    "github",
    answer("GET", /comments/, 200, "<html>Log in</html>"),
    /listing the comments: .*did not answer as GitHub's API does/,
  ],
  [
    "a proxy's page in the place of the notes",
    "gitlab",
    answer("GET", /notes/, 200, "<html>Log in</html>"),
    /listing the notes: .*did not answer as GitLab's API does/,
  ],
  ["an object in the place of the notes", "gitlab", answer("GET", /notes/, 200, { a: 1 }), /did not answer as GitLab's API does/],
  ["entries that are no comments", "github", answer("GET", /comments/, 200, [{ id: "1" }]), /did not answer as GitHub's API does/],
  ["an object in the place of the comments", "github", answer("GET", /comments/, 200, { a: 1 }), /did not answer as GitHub's API does/],
  [
    "a closed request that somebody has pushed to",
    "gitlab",
    change({ state: "closed", head: "b".repeat(40) }),
    /group\/homelab!7 is closed: nothing is posted/,
  ],
  [
    "a merge request that is merged",
    "gitlab",
    answer("GET", /merge_requests\/7$/, 200, { state: "merged", sha: HEAD, references: { full: "group/homelab!7" } }),
    /group\/homelab!7 is closed: nothing is posted/,
  ],
  ["a repository that was renamed", "github", answer("GET", /pulls/, 301, { message: "Moved Permanently" }), /answered 301[\s\S]*\n {2}next: .*new name/],
  [
    "text that is no JSON in the place of the notes",
    "gitlab",
    answer("GET", /notes/, 200, "slow down"),
    /listing the notes: .*did not answer as GitLab's API does/,
  ],
  ["a comment that the host does not take", "github", answer("POST", /comments/, 422, { message: "Validation Failed" }), /answered 422/],
];

test.each(CASES)("%s (%s) is said, and nothing is posted", async (_, host, make, said) => {
  await make();
  const { code, out, err } = await world.comment(`--${host}`, "--report", world.file("report.json", report()));
  expect([code, out, err]).toEqual([1, "", expect.stringMatching(said)]);
  // One message, with no stack trace and no token.
  expect(err).toMatch(/^error: (?!internal)/);
  expect(err).not.toMatch(/\n {4}at |This is a bug/);
  expect(err).not.toContain(TOKEN);
  expect([world.hosts.github, world.hosts.gitlab].flatMap(({ pulls }) => pulls.flatMap(({ comments }) => comments))).toEqual([]);
  // What the host refuses is not sent again.
  expect(world.hosts.requests.filter((line) => line.startsWith("POST ")).length).toBeLessThanOrEqual(1);
});

const REPORTS: [what: string, content: string | object | undefined, said: RegExp][] = [
  ["no JSON", "{", /is no report of a run/],
  ["another version", { ...report(), version: 2 }, /is no report of a run: .*version/],
  ["another operation", { ...report(), operation: "rm -rf" }, /is no report of a run/],
  ["a stack whose name is Markdown", { ...report(), stacks: [{ stack: "a | b" }] }, /is no report of a run/],
  ["a date that is none", { ...report(), finishedAt: "now](https://evil" }, /is no report of a run/],
  ["a list", [], /is no report of a run/],
  ["a hundred thousand lists in one another", `${"[".repeat(100_000)}${"]".repeat(100_000)}`, /is no report of a run/],
  ["wrong in more places than anybody reads", { ...report(), stacks: Array.from({ length: 900 }, () => ({ stack: "a b" })) }, /^.{1,700}$/s],
  ["a comment that is made already", "<!-- homelab:preview -->\n# All is well", /is no report of a run/],
  ["a link to another file", undefined, /cannot be read/],
];

test.each(REPORTS)("a report that is %s is refused before the host is asked", async (_, content, said) => {
  const file = path.join(world.dir, "report.json");
  if (content === undefined) fs.symlinkSync("/etc/passwd", file);
  else world.file("report.json", content);
  const { code, err } = await world.comment("--github", "--report", file);
  expect([code, err]).toEqual([1, expect.stringMatching(said)]);
  expect(world.hosts.requests).toEqual([]);
});

/** What stands in the error of a file that is no report may be anybody's words. */
test.each([
  ["beside what is no JSON", "x\n::error::a\n##[group]b\u001b[31m"],
  ["as a key", { ...report(), stacks: [{ ...stack, changes: { "\n::error::a\n##[group]b\u001b[31m": -1 } }] }],
  ["as a value", { ...report(), operation: "\n::stop-commands::x\u001b]0;y" }],
])("a report with a host's command %s gives the log none, and no control character", async (_, content) => {
  const { code, err } = await world.comment("--github", "--report", world.file("report.json", content));
  expect([code, err]).toEqual([1, expect.stringMatching(/is no report of a run: /)]);
  expect(err.split("\n").filter((line) => /^\s*(::|##\[)/.test(line))).toEqual([]);
  expect(err).not.toMatch(/(?!\n)\p{Cc}/u);
  expect(world.hosts.requests).toEqual([]);
});

test.each([
  ["a pipe", (file: string) => void execFileSync("mkfifo", [file])],
  ["a folder", (file: string) => void fs.mkdirSync(file)],
  [
    "larger than any report",
    (file: string) => {
      fs.writeFileSync(file, "{}");
      fs.truncateSync(file, 33 * 1024 * 1024);
    },
  ],
])("a report or a last word that is %s is refused at once", async (_, make) => {
  const file = path.join(world.dir, "given");
  make(file);
  for (const words of [
    ["--report", file],
    ["--report", path.join(world.dir, "none.json"), "--failure", file],
  ])
    expect(await world.comment("--github", ...words)).toEqual({
      code: 1,
      out: "",
      err: expect.stringContaining(`${file} is no report: not a file of at most 32 MiB`),
    });
  expect(world.hosts.requests).toEqual([]);
});

test("a last word that is a link to another file is not read", async () => {
  const file = path.join(world.dir, "failure.txt");
  fs.symlinkSync("/etc/passwd", file);
  expect(await world.comment("--github", "--report", path.join(world.dir, "none.json"), "--failure", file)).toMatchObject({
    code: 1,
    err: expect.stringContaining("cannot be read"),
  });
  expect(world.hosts.requests).toEqual([]);
});

test("two hosts at once, and none with a token, are no way to call it", async () => {
  const file = world.file("report.json", report());
  expect(await world.comment("--github", "--gitlab", "--report", file)).toMatchObject({ code: 1, err: expect.stringContaining("not both") });
  expect(await world.comment("--github")).toMatchObject({ code: 1, err: expect.stringContaining("comment takes --report FILE") });
  expect((await world.comment("--report", file)).out).toMatch(/^<!-- homelab:preview -->\n/);
  expect(world.hosts.requests).toEqual([]);
});
