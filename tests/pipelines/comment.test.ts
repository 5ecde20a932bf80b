/** `homelab comment --github` and `--gitlab`, by the real clients, against the lab's comment APIs: which comments the pull request has afterwards. */
import { spawn } from "node:child_process";
import * as path from "node:path";
import { runCommand } from "../support/run-command";
import { HEAD, MARKER, report, startWorld, TOKEN, type World, workflowRun } from "./comment-world";

let world: World;
beforeEach(async () => {
  world = await startWorld();
});
afterEach(() => world.close());

const HOSTS = ["github", "gitlab"] as const;
type Host = (typeof HOSTS)[number];
const pull = (host: Host) => {
  const [found] = world.hosts[host].pulls;
  if (found === undefined) throw new Error(`no pull request on ${host}`);
  return found;
};
const ours = (host: Host): string[] =>
  pull(host)
    .comments.filter(({ body }) => body.startsWith(MARKER))
    .map(({ body }) => body);
const post = (host: Host, content: unknown = report()) => world.comment(`--${host}`, "--report", world.file("report.json", content));
const writes = (): string[] => world.hosts.requests.filter((line) => !line.startsWith("GET "));
const somebody = { id: 99, login: "somebody", kind: "person", rights: "read" } as const;
const fill = (host: Host, count: number): void => {
  for (let i = 0; i < count; i++) pull(host).comments.push({ id: world.hosts[host].nextComment++, body: `comment ${i}`, author: somebody });
};
const limited = (status: number, headers: Record<string, string>) => ({ status, body: { message: "slow down" }, headers });

afterEach(() => expect(world.hosts.unhandled).toEqual([]));

test.each(HOSTS)("%s: the comment says what the run found, for which commit, and where all of it is; the next push updates it", async (host) => {
  const first = await post(host, report({ changed: true }));
  expect(first).toEqual({ code: 0, out: expect.stringMatching(/^the comment on \S+[#!]7 is created\n$/), err: "" });
  const [body = ""] = ours(host);
  expect(body).toMatch(/^<!-- homelab:preview -->\n## This changes the homelab\n/);
  expect(body).toContain(`commit \`${HEAD}\`, 2026-01-01 00:00 UTC, [the run with its whole report](https://git`);
  const [id] = pull(host).comments.map((comment) => comment.id);
  expect((await post(host)).out).toMatch(/ is updated\n$/);
  expect([ours(host).length, ours(host)[0], pull(host).comments[0]?.id]).toEqual([1, expect.stringContaining("## No changes\n"), id]);
});

test.each(HOSTS)("%s: one comment after many pushes, among 300 others on four pages", async (host) => {
  fill(host, 150);
  await post(host);
  fill(host, 250);
  for (let push = 0; push < 5; push++) await post(host, report({ duration: 1_000 * push }));
  expect(ours(host)).toEqual([expect.stringContaining("in the lab, 4.0s")]);
  expect(pull(host).comments.length).toBe(401);
  // All pages, of a hundred comments each, were read each time.
  expect(world.hosts.requests.filter((line) => /^GET \S+\/(comments|notes) 200$/.test(line)).length).toBe(2 + 5 * 5);
});

test.each(HOSTS)("%s: what somebody else wrote with our marker is left alone, and a second one of ours goes", async (host) => {
  const us = world.hosts[host].accounts.get(TOKEN);
  if (us === undefined) throw new Error("no account");
  pull(host).comments.push({ id: 10, body: `${MARKER}\nof somebody`, author: somebody });
  for (const id of [30, 20]) pull(host).comments.push({ id, body: `${MARKER}\nold ${id}`, author: us });
  pull(host).comments.push({ id: 40, body: `I like ${MARKER}`, author: us });
  await post(host);
  expect(pull(host).comments.map(({ id, body }) => [id, body.slice(MARKER.length + 1, MARKER.length + 14)])).toEqual([
    [10, "of somebody"],
    [20, "## No changes"],
    [40, expect.anything()],
  ]);
});

test.each(HOSTS)("%s: the same text again is no write", async (host) => {
  await post(host);
  const before = writes().length;
  await post(host);
  expect(writes().length).toBe(before);
});

test.each(HOSTS)("%s: a comment that is deleted between the look and the update is made anew", async (host) => {
  await post(host);
  world.hosts.fail({ method: host === "github" ? "PATCH" : "PUT", path: /comments|notes/, meanwhile: () => void pull(host).comments.splice(0) });
  expect(await post(host, report({ changed: true }))).toMatchObject({ code: 0, out: expect.stringContaining("created") });
  expect(ours(host)).toEqual([expect.stringContaining("## This changes")]);
});

test.each(HOSTS)("%s: a comment that was made though its answer was lost is not made twice", async (host) => {
  world.hosts.fail({ method: "POST", path: /comments|notes/, done: true });
  expect(await post(host)).toMatchObject({ code: 0 });
  expect([ours(host).length, writes().filter((line) => line.startsWith("POST")).length]).toEqual([1, 1]);
});

test.each(HOSTS)("%s: 502 to a new comment is looked at before it is sent again", async (host) => {
  world.hosts.fail({ method: "POST", path: /comments|notes/, reply: { status: 502, body: "<html>bad gateway</html>" } });
  expect(await post(host)).toMatchObject({ code: 0 });
  const asked = world.hosts.requests.filter((line) => /(comments|notes) \d+$/.test(line)).map((line) => line.replace(/ \S+ /, " "));
  expect([ours(host).length, asked]).toEqual([1, ["GET 200", "POST 502", "GET 200", "POST 201"]]);
});

test.each(HOSTS)("%s: reading and updating are tried again after 503 and a cut connection", async (host) => {
  await post(host);
  world.hosts.fail({ method: "GET", path: /comments|notes/, times: 2, reply: { status: 503, body: "" } });
  world.hosts.fail({ method: host === "github" ? "PATCH" : "PUT", path: /comments|notes/ });
  expect(await post(host, report({ changed: true }))).toMatchObject({ code: 0, out: expect.stringContaining("updated") });
  expect([world.slept(), ours(host)]).toEqual([1_000 + 2_000 + 1_000, [expect.stringContaining("## This changes")]]);
});

test.each([
  ["github", 403, { "retry-after": "7" }],
  ["github", 429, { "retry-after": "7" }],
  ["github", 403, { "x-ratelimit-remaining": "0", "x-ratelimit-reset": "NOW" }],
  ["gitlab", 429, { "retry-after": "7", "ratelimit-remaining": "0" }],
  ["gitlab", 429, { "ratelimit-reset": "NOW", "ratelimit-remaining": "0" }],
] as const)("%s: a limit of %s with %j is waited for, for a new comment too", async (host, status, headers) => {
  const given = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, value === "NOW" ? String(Math.floor(Date.now() / 1_000) + 8) : value]),
  );
  world.hosts.fail({ method: "POST", path: /comments|notes/, reply: limited(status, given) });
  const { code, err } = await post(host);
  expect([code, err]).toEqual([0, expect.stringMatching(/asks to wait: [78] s\n$/)]);
  expect(ours(host).length).toBe(1);
});

test.each(HOSTS)("%s: a limit that is longer than a job may wait ends it, and nothing is posted", async (host) => {
  world.hosts.fail({ method: "GET", path: /comments|notes/, reply: limited(429, { "retry-after": "3600" }) });
  expect(await post(host)).toMatchObject({ code: 1, err: expect.stringContaining("takes no more requests for 3600 seconds") });
  expect(writes()).toEqual([]);
});

test.each(HOSTS)("%s: a run that is not the newest says nothing", async (host) => {
  pull(host).head = "b".repeat(40);
  expect(await post(host)).toMatchObject({ code: 0, out: expect.stringContaining("head of no pull request any more") });
  expect(pull(host).comments).toEqual([]);
});

test("a fork's run names no pull request: it is found by its head, and one of the repository itself by its number", async () => {
  world.hosts.open("github", { number: 8, head: "b".repeat(40), label: "forker:topic" });
  expect(await post("github")).toMatchObject({ code: 0, out: "the comment on me/homelab#7 is created\n" });
  world.hosts.open("github", { number: 9, head: HEAD, label: "me:other" });
  world.file("event.json", workflowRun({ pull_requests: [{ number: 9 }] }));
  expect(await post("github")).toMatchObject({ code: 0, out: "the comment on me/homelab#9 is created\n" });
  Object.assign(process.env, { GITHUB_SERVER_URL: "https://github.com", GITHUB_RUN_ID: "11" });
  world.file("event.json", { pull_request: { number: 7, head: { sha: HEAD, label: "me:x" } } });
  expect(await post("github")).toMatchObject({ code: 0, out: "the comment on me/homelab#7 is updated\n" });
  expect(ours("github")[0]).toContain("(https://github.com/me/homelab/actions/runs/11)");
});

test("a branch that had another pull request before: the open one with this commit has the comment, and a closed one with others has none", async () => {
  const [seventh] = world.hosts.github.pulls;
  world.hosts.github.pulls.unshift(
    { number: 3, state: "closed", head: "b".repeat(40), label: "forker:topic", locked: false, comments: [] },
    { number: 5, state: "closed", head: HEAD, label: "forker:topic", locked: false, comments: [] },
  );
  expect(await post("github")).toMatchObject({ code: 0, out: "the comment on me/homelab#7 is created\n" });
  world.hosts.github.pulls.splice(1);
  expect(await post("github")).toMatchObject({ code: 0, out: expect.stringContaining("is the head of no pull request any more") });
  expect([seventh?.comments.length, world.hosts.github.pulls[0]?.comments]).toEqual([1, []]);
});

test("a comment without a text and one of an account that is gone are others'", async () => {
  const listed = [
    { id: 1, body: null, user: { login: "github-actions[bot]" } },
    { id: 2, body: MARKER, user: null },
  ];
  world.hosts.fail({ method: "GET", path: /comments$/, reply: { status: 200, body: listed } });
  expect(await post("github")).toMatchObject({ code: 0, out: expect.stringContaining("created") });
});

test("GitLab's own notes of what happened are no comments of ours", async () => {
  const listed = [{ id: 1, body: `${MARKER}\nchanged the title`, system: true, author: { id: 1 } }];
  world.hosts.fail({ method: "GET", path: /notes$/, reply: { status: 200, body: listed } });
  expect(await post("gitlab")).toMatchObject({ code: 0, out: expect.stringContaining("created") });
  expect(writes()).toEqual([expect.stringMatching(/^POST .* 201$/)]);
});

test.each(HOSTS)("%s: a second one of ours that somebody removes first is no failure", async (host) => {
  const us = world.hosts[host].accounts.get(TOKEN);
  if (us === undefined) throw new Error("no account");
  for (const id of [20, 30]) pull(host).comments.push({ id, body: `${MARKER}\nold ${id}`, author: us });
  world.hosts.fail({ method: "DELETE", path: /30$/, meanwhile: () => void pull(host).comments.splice(1) });
  expect(await post(host)).toMatchObject({ code: 0, err: "", out: expect.stringContaining("updated") });
  expect(ours(host)).toEqual([expect.stringContaining("## No changes")]);
});

test.each(HOSTS)("%s: the token is in no comment, though a report or a last word has it", async (host) => {
  const failed = { ...stack("dev"), status: "failed", error: { code: "E", message: `push to https://x:${TOKEN}@host` } };
  await post(host, { ...report(), ok: false, stacks: [failed] });
  expect(ours(host)).toEqual([expect.stringMatching(/push to https:\/\/x:(?!ghs_)/)]);
  await world.comment(`--${host}`, "--report", path.join(world.dir, "none.json"), "--failure", world.file("failure.txt", `no ${TOKEN} no`));
  expect(ours(host)).toEqual([expect.stringMatching(/no (?!ghs_).* no/)]);
});

test("the address of an API may end with a slash", async () => {
  process.env["GITHUB_API_URL"] = `${world.hosts.url}/`;
  process.env["CI_API_V4_URL"] = `${world.hosts.url}/api/v4/`;
  for (const host of HOSTS) expect(await post(host)).toMatchObject({ code: 0, out: expect.stringContaining("created") });
});

test("a person's own token finds that person's comment", async () => {
  world.hosts.github.accounts.set("pat", { id: 5, login: "me", kind: "person", rights: "write" });
  process.env["GITHUB_TOKEN"] = "pat";
  await post("github");
  expect(await post("github", report({ changed: true }))).toMatchObject({ out: expect.stringContaining("updated") });
});

test("failure, no start and cancel each have a comment; the last word of a run stands in it", async () => {
  const failed = { ok: false, stacks: [{ ...stack("dev"), status: "failed", error: { code: "E", message: "no route to host" } }] };
  await post("github", { ...report(), ...failed });
  expect(ours("github")[0]).toMatch(/## The preview failed\n[\s\S]*### ✘ dev\n\n```\nno route to host\n```/);
  await post("github", { ...report(), ok: false, stacks: [{ ...stack("dev"), status: "cancelled" }] });
  expect(ours("github")[0]).toContain("## The preview was cancelled\n");

  const none = (...more: string[]) => world.comment("--github", "--report", path.join(world.dir, "none.json"), ...more);
  await none("--failure", world.file("failure.txt", "error: stacks/site.ts:3:1: Expected ','\n::error::x @everyone"));
  expect(ours("github")[0]).toMatch(/## The preview failed\n\nIt ended before the first stack\.\n\n```\nerror: stacks\/site\.ts[\s\S]*@\u200beveryone/);
  world.file("event.json", workflowRun({ conclusion: "cancelled" }));
  await none();
  expect(ours("github")).toEqual([expect.stringContaining("## The preview was cancelled\n\nIt ended before the first stack.")]);
});

const stack = (name: string) => ({
  ...{ stack: name, status: "succeeded", duration: 1_500, offset: 0, changes: {}, steps: [], diagnostics: [], unknowns: [] },
});

test("a report that is far too long is cut to what each host takes, as each counts it", async () => {
  const steps = Array.from({ length: 9_000 }, (_, i) => ({
    ...{ op: "update", urn: "u", type: "a:b:C", name: `😀👨‍👩‍👧‍👦 مثال ${i}`, component: false, diffs: [], keys: [] },
    values: ["size", "kind"].map((path) => ({ path, from: "😀".repeat(60), to: "x" })),
  }));
  const long = report({ changed: true, stacks: [{ ...stack("dev"), changes: { update: 9_000 }, steps } as never] });
  for (const [host, limit] of [
    ["github", 65_536],
    ["gitlab", 1_000_000],
  ] as const) {
    expect(await post(host, long)).toMatchObject({ code: 0 });
    const size = [...(ours(host)[0] ?? "")].length;
    // As much as fits within a line or two, and no more.
    expect([size <= limit, size > limit - 2_000]).toEqual([true, true]);
    expect(ours(host)[0]).toMatch(/… \d+ more lines are left out here; the run's report has them all\n```\n/);
  }
});

test("the built command loads both clients on this Node, and its token is nowhere", async () => {
  const root = path.join(__dirname, "..", "..");
  const file = world.file("report.json", report());
  for (const host of HOSTS) {
    const env = { ...process.env, HOME: world.dir, NO_COLOR: "1" };
    const child = spawn(process.execPath, [path.join(root, "orchestrator/bin/homelab"), "comment", `--${host}`, "--report", file], {
      env,
      stdio: ["pipe", "pipe", "pipe"],
    });
    const { code, out, err } = await runCommand(child);
    expect([code, out, err]).toEqual([0, expect.stringContaining("is created"), ""]);
    expect(ours(host)[0]).not.toContain(TOKEN);
  }
});
