/** `homelab issue --github` and `--gitlab`, by the real clients, against the lab's APIs: which issues are open afterwards. */
import * as fs from "node:fs";
import * as path from "node:path";
import type { Issue } from "../../lab/comments";
import { DRIFT_MARKER } from "../../orchestrator/drift/drift-issue";
import type { DriftReport } from "../../orchestrator/drift/drift-schema";
import { HEAD, startWorld, TOKEN, type World } from "./comment-world";

let world: World;
beforeEach(async () => {
  world = await startWorld();
  Object.assign(process.env, { GITHUB_SHA: HEAD, GITHUB_SERVER_URL: "https://github.com", GITHUB_RUN_ID: "11" });
});
afterEach(async () => {
  expect(world.hosts.unhandled).toEqual([]);
  await world.close();
});

const HOSTS = ["github", "gitlab"] as const;
type Host = (typeof HOSTS)[number];
const issues = (host: Host): Issue[] => world.hosts[host].issues;
const open = (host: Host): Issue[] => issues(host).filter(({ state }) => state === "open");
const set = (name: string, value: string | undefined): void => {
  if (value === undefined) delete process.env[name];
  else process.env[name] = value;
};

const changed = {
  urn: "u",
  type: "proxmoxve:index/vmLegacy:VmLegacy",
  name: "dev-vm",
  how: "changed" as const,
  fields: [{ path: "memory", from: "1", to: "2" }],
};
const report = (fields: Partial<DriftReport> = {}): DriftReport => ({
  ...{ version: 1, site: "real", lookedAt: "2026-01-01T00:00:00.000Z", drifted: true, hosts: [] },
  stacks: [{ stack: "dev", resources: [changed] }],
  ...fields,
});
const nothing = report({ drifted: false, stacks: [{ stack: "dev", resources: [] }] });
const settle = (host: Host, content: unknown = report()) => world.homelab("issue", `--${host}`, "--drift", world.file("drift.json", content));
const writes = (): string[] => world.hosts.requests.filter((line) => !line.startsWith("GET "));
const somebody = { id: 99, login: "somebody", kind: "person", rights: "read" } as const;
const us = (host: Host) => {
  const account = world.hosts[host].accounts.get(TOKEN);
  if (account === undefined) throw new Error("no account");
  return account;
};
const add = (host: Host, number: number, body: string, author: Issue["author"]): void =>
  void issues(host).push({ number, title: `issue ${number}`, body, state: "open", author });

test.each(HOSTS)("%s: drift opens one issue, the next look updates it, and it is closed when nothing differs any more", async (host) => {
  expect(await settle(host)).toEqual({ code: 0, out: expect.stringMatching(/^the issue in \S.* is opened\n$/), err: "" });
  expect(open(host).map(({ title }) => title)).toEqual(["Drift: 1 resource"]);
  expect(open(host)[0]?.body).toMatch(/^<!-- homelab:drift -->\n## What is in the homelab is not what the states and roles say\.\n\n\| stack \| changed/);
  expect(open(host)[0]?.body).toContain("~ proxmoxve:index/vmLegacy:VmLegacy dev-vm\n    memory: 1 → 2\n");
  expect(open(host)[0]?.body).toContain(`commit \`${HEAD}\`, looked at 2026-01-01 00:00 UTC, [the run with all of it](https://git`);
  const [number] = open(host).map((issue) => issue.number);
  const gone = { ...changed, how: "gone" as const, fields: [] };
  expect((await settle(host, report({ stacks: [{ stack: "dev", resources: [changed, gone] }] }))).out).toMatch(/ is updated\n$/);
  expect(open(host)).toEqual([expect.objectContaining({ number, title: "Drift: 2 resources", body: expect.stringContaining("**gone** `dev: proxmoxve") })]);
  expect((await settle(host, nothing)).out).toMatch(/ is closed\n$/);
  expect(issues(host)).toEqual([
    expect.objectContaining({ number, state: "closed", title: "Drift: gone", body: expect.stringContaining("Nothing differs any more") }),
  ]);
  expect((await settle(host, nothing)).out).toMatch(/^no issue in \S.* is open\n$/);
  // A closed issue stays closed: new drift opens a new issue.
  await settle(host);
  expect(open(host).map((issue) => issue.number === number)).toEqual([false]);
});

test.each(HOSTS)("%s: one issue after many looks, among 300 others on four pages; the same text again is no write", async (host) => {
  for (let i = 0; i < 150; i++) add(host, i + 10_000, `issue ${i}`, somebody);
  await settle(host);
  for (let i = 0; i < 200; i++) add(host, i + 20_000, `issue ${i}`, somebody);
  const before = writes().length;
  for (let look = 0; look < 3; look++) await settle(host);
  expect([issues(host).length, open(host).filter(({ body }) => body.startsWith(DRIFT_MARKER)).length, writes().length]).toEqual([351, 1, before]);
  expect(world.hosts.requests.filter((line) => /^GET \S+\/issues 200$/.test(line)).length).toBe(2 + 3 * 4);
});

test.each(HOSTS)("%s: what somebody else wrote with our marker is left alone, and a second one of ours is closed", async (host) => {
  add(host, 10, `${DRIFT_MARKER}\nof somebody`, somebody);
  for (const number of [30, 20]) add(host, number, `${DRIFT_MARKER}\nold`, us(host));
  add(host, 40, `I like ${DRIFT_MARKER}`, us(host));
  await settle(host);
  expect(issues(host).map(({ number, state, title }) => [number, state, title])).toEqual([
    [10, "open", "issue 10"],
    [30, "closed", "Drift: 1 resource"],
    [20, "open", "Drift: 1 resource"],
    [40, "open", "issue 40"],
  ]);
  await settle(host, nothing);
  expect(open(host).map(({ number }) => number)).toEqual([10, 40]);
});

test.each(HOSTS)("%s: what could not be looked at opens the issue, and keeps it open", async (host) => {
  const failed = report({ drifted: false, stacks: [{ stack: "dev", resources: [], error: { code: "E", message: "no route to host", hint: "start it" } }] });
  expect(await settle(host, failed)).toMatchObject({ code: 0, out: expect.stringContaining("is opened") });
  expect(open(host)[0]).toMatchObject({
    title: "Drift: not everything could be looked at",
    body: expect.stringMatching(/\| dev \| 0 \| 0 \| \*\*no\*\* \|\n\n### ✘ dev\n\n```\nno route to host\nnext: start it\n```/),
  });
  const none = path.join(world.dir, "none.json");
  await world.homelab("issue", `--${host}`, "--drift", none, "--failure", world.file("failure.txt", "error: site/site.ts:3:1\n@everyone <b>"));
  expect(open(host)).toEqual([
    expect.objectContaining({ title: "Drift: nothing could be looked at", body: expect.stringContaining("error: site/site.ts:3:1\n@\u200beveryone ‹b›\n```") }),
  ]);
});

test("a report without values is an issue that names fields, and holds none of what is in them", async () => {
  const [fields, operations] = [[{ path: "data.password" }], [{ operation: "file /etc/x", status: "would-change" }]];
  const hosts = [{ host: "dns", stack: "tools", status: "would-change" as const, roles: [{ role: "dns", operations }] }];
  await settle("github", report({ stacks: [{ stack: "dev", resources: [{ ...changed, fields }] }], hosts }));
  expect(open("github")[0]?.body).toMatch(/\n {2}~ proxmoxve:index\/vmLegacy:VmLegacy dev-vm\n {4}data\.password\n```[\s\S]*~ file \/etc\/x\n```/);
});

test.each(HOSTS)(
  "%s: an issue that is deleted between the look and the update is opened anew; one that was opened though its answer was lost is not opened twice",
  async (host) => {
    await settle(host);
    world.hosts.fail({ method: host === "github" ? "PATCH" : "PUT", path: /issues/, meanwhile: () => void issues(host).splice(0) });
    expect((await settle(host, report({ lookedAt: "2026-01-02T00:00:00.000Z" }))).out).toMatch(/ is opened\n$/);
    expect(open(host).length).toBe(1);
    issues(host).splice(0);
    world.hosts.fail({ method: "POST", path: /issues/, done: true });
    expect(await settle(host)).toMatchObject({ code: 0 });
    expect(issues(host).length).toBe(1);
  },
);

test.each(HOSTS)("%s: what is far too long is cut to what the host takes, with every fold closed", async (host) => {
  const limit = host === "github" ? 65_536 : 1_000_000;
  const resources = Array.from({ length: 9_000 }, (_, i) => ({
    ...changed,
    name: `😀👨‍👩‍👧‍👦 مثال ${i}`,
    fields: [{ path: "size", from: "😀".repeat(60), to: "x" }],
  }));
  const hosts = [
    {
      host: "dns",
      stack: "tools",
      status: "would-change" as const,
      roles: [{ role: "dns", operations: [{ operation: "file", status: "would-change", detail: "x\n".repeat(90_000) }] }],
    },
  ];
  expect(await settle(host, report({ stacks: [{ stack: "dev", resources }], hosts }))).toMatchObject({ code: 0 });
  const body = open(host)[0]?.body ?? "";
  expect([...body].length <= limit).toBe(true);
  expect([body.match(/<details>/g)?.length, (body.match(/```/g)?.length ?? 1) % 2]).toEqual([body.match(/<\/details>/g)?.length, 0]);
  expect(body).toMatch(/… \d+ more lines are left out here/);
});

test("of many stacks that could not be looked at the first say why, and how many more there are is said", async () => {
  const stacks = Array.from({ length: 40 }, (_, i) => ({ stack: `stack-${i}`, resources: [], error: { code: "E", message: "e".repeat(2_000) } }));
  expect(await settle("github", report({ stacks }))).toMatchObject({ code: 0 });
  const body = open("github")[0]?.body ?? "";
  const causes = body.match(/^### ✘ stack-\d+$/gm)?.length ?? 0;
  expect(causes).toBeGreaterThan(5);
  expect(body).toContain(`… ${40 - causes} more stacks could not be looked at: see the run's report`);
});

const rights = (given: "read" | "none") => (): void => {
  for (const { accounts } of [world.hosts.github, world.hosts.gitlab]) {
    const account = accounts.get(TOKEN);
    accounts.clear();
    if (given !== "none" && account !== undefined) accounts.set(TOKEN, { ...account, rights: given });
  }
};
const noIssues = (): void => {
  for (const state of [world.hosts.github, world.hosts.gitlab]) state.hasIssues = false;
};
const answer = (method: string, status: number, body: unknown) => (): void => world.hosts.fail({ method, path: /./, times: 50, reply: { status, body } });

const CASES: [what: string, host: Host, make: () => void, said: RegExp][] = [
  ["no token", "github", () => set("GITHUB_TOKEN", undefined), /GITHUB_TOKEN is not set[\s\S]*issues: write/],
  ["no token", "gitlab", () => set("GITLAB_TOKEN", undefined), /GITLAB_TOKEN is not set[\s\S]*environment `issue`/],
  ["a token that nobody knows", "github", rights("none"), /answered 401/],
  ["a token that nobody knows", "gitlab", rights("none"), /answered 401/],
  ["a token that may only read", "github", rights("read"), /opening the issue: .*answered 403[\s\S]*issues: write/],
  ["a token that may only read", "gitlab", rights("read"), /opening the issue: .*answered 403[\s\S]*scope api/],
  ["a repository without issues", "github", noIssues, /answered 410[\s\S]*issues turned off/],
  ["a project without issues", "gitlab", noIssues, /answered 404[\s\S]*issues are turned off/],
  ["another repository", "github", () => set("GITHUB_REPOSITORY", "you/homelab"), /answered 404/],
  ["no commit", "github", () => set("GITHUB_SHA", undefined), /GITHUB_SHA is not set/],
  ["a run's number that is none", "github", () => set("GITHUB_RUN_ID", "1) [x](y"), /GITHUB_RUN_ID is not what it should be/],
  ["an API with a fault", "github", answer("GET", 503, "down"), /answered 503/],
  ["an API with a fault", "gitlab", answer("GET", 500, "down"), /answered 500/],
  ["a proxy's page", "github", answer("GET", 200, "<html>Log in</html>"), /did not answer as GitHub's API does/],
  ["a proxy's page", "gitlab", answer("GET", 200, "<html>Log in</html>"), /did not answer as GitLab's API does/],
  [
    "entries that are no issues",
    "github",
    () => world.hosts.fail({ method: "GET", path: /issues/, reply: { status: 200, body: [{ id: 1 }] } }),
    /did not answer as GitHub's/,
  ],
];

test.each(CASES)("%s (%s) is said, and nothing is opened", async (_, host, make, said) => {
  make();
  const { code, out, err } = await settle(host);
  expect([code, out, err]).toEqual([1, "", expect.stringMatching(said)]);
  expect(err).toMatch(/^error: (?!internal)/);
  expect(err).not.toContain(TOKEN);
  expect([...issues("github"), ...issues("gitlab")]).toEqual([]);
});

test.each([
  ["no JSON", "{"],
  ["another version", { ...nothing, version: 2 }],
  ["a stack whose name is Markdown", { ...nothing, stacks: [{ stack: "a | b", resources: [] }] }],
  ["a report of a run", { version: 1, operation: "preview", stacks: [] }],
  ["a link to another file", undefined],
])("a file that is %s is refused before the host is asked", async (_, content) => {
  const file = path.join(world.dir, "drift.json");
  if (content === undefined) fs.symlinkSync("/etc/passwd", file);
  else world.file("drift.json", content);
  expect(await world.homelab("issue", "--github", "--drift", file)).toMatchObject({
    code: 1,
    out: "",
    err: expect.stringMatching(/is no report of a drift|cannot be read/),
  });
  expect(world.hosts.requests).toEqual([]);
});

test("without a host it is printed; two hosts, and no file, are no way to call it", async () => {
  const file = world.file("drift.json", report());
  expect((await world.homelab("issue", "--drift", file)).out).toMatch(/^# Drift: 1 resource\n\n<!-- homelab:drift -->/);
  expect((await world.homelab("issue", "--drift", world.file("nothing.json", nothing))).out).toBe("nothing differs: an open issue would be closed\n");
  expect(await world.homelab("issue", "--github", "--gitlab", "--drift", file)).toMatchObject({ code: 1, err: expect.stringContaining("not both") });
  expect(await world.homelab("issue", "--github")).toMatchObject({ code: 1, err: expect.stringContaining("issue takes --drift FILE") });
  expect(world.hosts.requests).toEqual([]);
});
