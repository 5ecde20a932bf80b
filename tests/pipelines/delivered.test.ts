/** `homelab delivered --github` and `--gitlab`, by the real clients, against the lab's APIs: which runs of main end its wait, and how. */
import { spawnSync } from "node:child_process";
import { type Contains, githubDelivery, gitlabDelivery } from "../../orchestrator/apps/delivered";
import { isAncestor } from "../../orchestrator/apps/git-history";
import { createPoliteFetch } from "../../orchestrator/pull-request/polite-fetch";
import { startWorld, TOKEN, type World } from "./comment-world";

const HOSTS = ["github", "gitlab"] as const;
type Host = (typeof HOSTS)[number];
const OURS = "d".repeat(40);
const OTHER = "c".repeat(40);

let world: World;
beforeEach(async () => {
  world = await startWorld();
});
afterEach(async () => {
  expect(world.hosts.unhandled).toEqual([]);
  delete process.env["HOMELAB_REPOSITORY"];
  await world.close();
});

/** Each host's words for a status: GitHub's of the run, GitLab's of the pipeline's last job. */
const WORDS = {
  github: { running: ["in_progress", "waiting", "queued"], delivered: ["success"], failed: ["failure", "cancelled", "timed_out", "skipped"] },
  gitlab: { running: ["running", "manual", "created", "skipped", "pending"], delivered: ["success"], failed: ["failed", "canceled"] },
} as const;

function run(host: Host, number: number, commit: string, status: string): void {
  const runs = world.hosts[host].runs;
  const found = runs.find((one) => one.number === number);
  // The state of GitLab's pipeline is that of its other jobs too.
  const [own, jobs] = host === "github" ? [status, {}] : ["success", { plan: "success", rollout: status }];
  if (found === undefined) runs.push({ number, commit, status: own, jobs });
  else Object.assign(found, { status: own, jobs });
}
const delivered = (host: Host, ...more: string[]) => world.homelab("delivered", "dev", "--commit", OURS, `--${host}`, ...more);
/** Makes a change at the host at the nth request. */
const later = (asks: number, change: () => void): void => {
  world.hosts.fail({
    method: "GET",
    path: /runs$|pipelines$/,
    times: asks,
    meanwhile: () => {
      if (--asks === 0) change();
    },
  });
};

test.each(HOSTS)("%s: a run of the commit that has delivered ends it at once, whatever newer ones do", async (host) => {
  run(host, 5, OURS, "success");
  run(host, 6, OTHER, WORDS[host].failed[0]);
  expect(await delivered(host)).toEqual({ code: 0, out: expect.stringMatching(/^Pulumi\.dev\.yaml is delivered: https:\/\/git\S+\/5\n$/), err: "" });
  expect(world.slept()).toBe(0);
});

test.each(HOSTS)("%s: it waits while there is no run, and while one goes on or waits for an approval, and says what it waits for", async (host) => {
  const [states, asks] = [["", "", ...WORDS[host].running], { count: 0 }];
  world.hosts.fail({
    method: "GET",
    path: /runs$|pipelines$/,
    times: 50,
    meanwhile: () => {
      const state = states[asks.count++] ?? "success";
      if (state !== "") run(host, 5, OURS, state);
    },
  });
  const { code, err } = await delivered(host);
  expect([code, world.slept() > 0]).toEqual([0, true]);
  expect(err).toMatch(/^\w+: no run in \S.* has it yet\n\w+: https:\S+\/5 \(/);
});

test.each(HOSTS)("%s: a newer run of main that delivers has the commit too; an older one has not", async (host) => {
  run(host, 4, OTHER, "success");
  run(host, 5, OURS, WORDS[host].failed[1]);
  run(host, 6, OTHER, WORDS[host].running[0]);
  later(3, () => run(host, 6, OTHER, "success"));
  expect(await delivered(host)).toMatchObject({ code: 0, out: expect.stringMatching(/\/6\n$/) });
});

test.each(HOSTS)("%s: the run of a push of several commits has each of them", async (host) => {
  const git = (...args: string[]): string => {
    const { status, stdout } = spawnSync("git", ["-c", "user.name=t", "-c", "user.email=t@t", ...args], { cwd: world.dir, encoding: "utf8" });
    expect([args[0], status]).toEqual([args[0], 0]);
    return stdout.trim();
  };
  git("init", "-q");
  const [first, second, last] = ["1", "2", "3"].map((name) => {
    git("commit", "-q", "--allow-empty", "-m", name);
    return git("rev-parse", "HEAD");
  });
  const contains: Contains = (history, commit) => isAncestor(world.dir, commit, history);
  const runs = [
    { number: 1, sha: first ?? "" },
    { number: 3, sha: OTHER },
    { number: 2, sha: last ?? "" },
  ];
  for (const { number, sha } of runs) run(host, number, sha, "success");
  const polite = createPoliteFetch(world.hosts.url, { now: Date.now, sleep: async () => undefined }, () => undefined);
  const access = { api: host === "github" ? world.hosts.url : `${world.hosts.url}/api/v4`, token: TOKEN };
  const asked = host === "github" ? githubDelivery({ ...access, owner: "me", repo: "homelab" }, polite) : gitlabDelivery({ ...access, project: "42" }, polite);
  expect((await asked.runsWith(second ?? "", contains)).map(({ number }) => number)[0]).toBe(2);
  await polite.close();
});

test.each(HOSTS.flatMap((host) => WORDS[host].failed.map((word): [Host, string] => [host, word])))(
  "%s: a run that is %s, and no other, fails it with its page",
  async (host, word) => {
    run(host, 4, OTHER, "success");
    run(host, 5, OURS, word);
    const { code, out, err } = await delivered(host);
    expect([code, out, world.slept()]).toEqual([1, "", 0]);
    expect(err).toMatch(new RegExp(`^error: ${OURS.slice(0, 12)} was not delivered: https:\\S+/5 \\(.*${word}.*\\)\n  next: `));
  },
);

test("GitLab: a pipeline whose plan failed has delivered nothing, though its last job only was skipped; one without that job has no runner", async () => {
  world.hosts.gitlab.runs.push({ number: 5, commit: OURS, status: "failed", jobs: { plan: "failed", rollout: "skipped" } });
  expect(await delivered("gitlab")).toMatchObject({ code: 1, err: expect.stringContaining("/5 (failed)") });
  Object.assign(world.hosts.gitlab.runs[0] ?? {}, { status: "success", jobs: { check: "success" } });
  expect(await delivered("gitlab")).toMatchObject({ code: 1, err: expect.stringContaining("it has no job rollout: the project's variable HOMELAB_RUNNER") });
});

test.each(HOSTS)("%s: the time that it may take is over: it says what it waits for, and what no run at all means", async (host) => {
  expect(await delivered(host, "--minutes", "2")).toMatchObject({
    code: 1,
    err: expect.stringMatching(/within 2 minutes: no run has it\n {2}next: see whether a push/),
  });
  // Requests take time too, so it sleeps less than two minutes.
  expect([world.slept() > 60_000, world.slept() <= 120_000]).toEqual([true, true]);
  run(host, 5, OURS, WORDS[host].running[1]);
  expect(await delivered(host, "--minutes", "2")).toMatchObject({
    code: 1,
    err: expect.stringMatching(/within 2 minutes: https:\S+\/5 \(.*\)\n {2}next: see whether it waits/),
  });
});

test("the homelab's repository is named by another one's job", async () => {
  Object.assign(process.env, { GITHUB_REPOSITORY: "me/writer", HOMELAB_REPOSITORY: "me/homelab" });
  run("github", 5, OURS, "success");
  expect(await delivered("github")).toMatchObject({ code: 0 });
  process.env["HOMELAB_REPOSITORY"] = "me/../homelab";
  expect(await delivered("github")).toMatchObject({ code: 1, err: expect.stringContaining("HOMELAB_REPOSITORY is not what it should be") });
});

test.each([
  ["no token", "github", () => delete process.env["GITHUB_TOKEN"], /GITHUB_TOKEN is not set[\s\S]*actions: read/],
  ["no token", "gitlab", () => delete process.env["GITLAB_TOKEN"], /GITLAB_TOKEN is not set[\s\S]*scope read_api[\s\S]*`delivered`/],
  ["a token that nobody knows", "github", () => world.hosts.github.accounts.clear(), /answered 401/],
  ["a token that nobody knows", "gitlab", () => world.hosts.gitlab.accounts.clear(), /answered 401/],
  ["another repository", "github", () => Object.assign(process.env, { GITHUB_REPOSITORY: "you/homelab" }), /answered 404[\s\S]*up\.yml/],
  [
    "a proxy's page",
    "gitlab",
    () => world.hosts.fail({ method: "GET", path: /./, times: 9, reply: { status: 200, body: "<html>" } }),
    /did not answer as GitLab's/,
  ],
  [
    "runs that are none",
    "github",
    () => world.hosts.fail({ method: "GET", path: /./, reply: { status: 200, body: { workflow_runs: [{}] } } }),
    /did not answer as GitHub's/,
  ],
] as const)("%s (%s) is said", async (_, host, make, said) => {
  make();
  const { code, out, err } = await delivered(host);
  expect([code, out, err]).toEqual([1, "", expect.stringMatching(said)]);
  expect(err).not.toContain(TOKEN);
});

test("no host, two hosts, a stage without settings, and a commit that is none are no way to call it", async () => {
  expect(await world.homelab("delivered", "dev")).toMatchObject({ code: 1, err: expect.stringContaining("takes --github or --gitlab") });
  expect(await delivered("github", "--gitlab")).toMatchObject({ code: 1, err: expect.stringContaining("not both") });
  expect(await world.homelab("delivered", "nowhere", "--github")).toMatchObject({
    code: 1,
    err: expect.stringContaining("there is no stack nowhere"),
  });
  expect(await delivered("github", "--commit", "main")).toMatchObject({ code: 1, err: expect.stringContaining("--commit takes a commit's whole hash") });
  expect(world.hosts.requests).toEqual([]);
});
