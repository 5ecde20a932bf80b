/** A promotion as a pull request, against the lab's APIs of both hosts: its content, and that there is never a second one. */
import { systemClock } from "../../common/clock";
import { type CommentHosts, startCommentHosts } from "../../lab/comments";
import type { HostState } from "../../lab/comments/state";
import { githubPromotion } from "../../orchestrator/pull-request/github-promotion";
import { gitlabPromotion } from "../../orchestrator/pull-request/gitlab-promotion";
import { type Change, openPull, type PromotionHost } from "../../orchestrator/pull-request/one-promotion";
import { createPoliteFetch, type PoliteFetch } from "../../orchestrator/pull-request/polite-fetch";

const TOKEN = "ghs_abcdefghijklmnopqrstuvwxyz012345";
const BRANCH = "promote/stg/writer-222222222222";
const CHANGE: Change = {
  branch: BRANCH,
  title: "deploy(stg): writer 1.1.0",
  body: "words\n",
  files: new Map([
    ["Pulumi.stg.yaml", "writer: 1.1.0\n"],
    ["gitops/stg/writer/manifests.yaml", "image: 1.1.0\n"],
    ["gitops/stg/writer/new file.yaml", "new\n"],
    ["gitops/stg/writer/gone.yaml", undefined],
  ]),
};
const FIRST = new Map([
  ["Pulumi.stg.yaml", "writer: 1.0.0\n"],
  ["gitops/stg/writer/manifests.yaml", "image: 1.0.0\n"],
  ["gitops/stg/writer/gone.yaml", "old\n"],
  ["README.md", "kept\n"],
]);
const THEN = {
  "Pulumi.stg.yaml": "writer: 1.1.0\n",
  "README.md": "kept\n",
  "gitops/stg/writer/manifests.yaml": "image: 1.1.0\n",
  "gitops/stg/writer/new file.yaml": "new\n",
};

describe.each(["github", "gitlab"] as const)("on %s", (name) => {
  let hosts: CommentHosts;
  let polite: PoliteFetch;
  let host: PromotionHost;
  let state: HostState;
  let base: string;
  beforeEach(async () => {
    hosts = await startCommentHosts("me/homelab", "42");
    state = hosts[name];
    state.accounts.set(TOKEN, { id: 1, login: "me", kind: "person", rights: "write" });
    base = state.git.commit(FIRST, undefined, "first");
    state.git.branches.set("main", base);
    const api = name === "github" ? hosts.url : `${hosts.url}/api/v4`;
    polite = createPoliteFetch(api, { ...systemClock, sleep: () => Promise.resolve() }, () => undefined);
    host =
      name === "github"
        ? githubPromotion({ api, token: TOKEN, owner: "me", repo: "homelab" }, polite)
        : gitlabPromotion({ api, token: TOKEN, project: "42" }, polite);
  });
  afterEach(async () => {
    await polite.close();
    await hosts.stop();
    expect(hosts.unhandled).toEqual([]);
  });
  const filesOf = (branch: string) => Object.fromEntries([...(state.git.at(branch) ?? [])].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  const page = () =>
    name === "github" ? `https://github.com/me/homelab/pull/${state.pulls[0]?.number}` : "https://gitlab.example/group/homelab/-/merge_requests/1";
  const writes = (): string[] => hosts.requests.filter((line) => !line.startsWith("GET "));

  test("a branch of one commit above main, with all files of the change and no others, and a request of it", async () => {
    expect(await openPull(host, CHANGE, base)).toEqual({ url: page(), opened: true });
    expect([filesOf(BRANCH), filesOf("main")]).toEqual([THEN, Object.fromEntries([...FIRST].toSorted(([a], [b]) => (a < b ? -1 : 1)))]);
    expect(state.git.found(state.git.branches.get(BRANCH) ?? "")).toMatchObject({ parent: base, message: CHANGE.title });
    expect(state.pulls).toMatchObject([{ title: CHANGE.title, body: CHANGE.body, state: "open" }]);
  });

  test("the same again writes nothing, also when main has gone on", async () => {
    await openPull(host, CHANGE, base);
    const before = writes();
    state.git.branches.set("main", state.git.commit(new Map([...FIRST, ["README.md", "other\n"]]), base, "second"));
    expect(await openPull(host, CHANGE, base)).toEqual({ url: page(), opened: false });
    expect(writes()).toEqual(before);
  });

  test("one that was closed is opened anew, from main as it is now", async () => {
    await openPull(host, CHANGE, base);
    for (const pull of state.pulls) pull.state = "closed";
    const next = state.git.commit(new Map([...FIRST, ["README.md", "other\n"]]), base, "second");
    state.git.branches.set("main", next);
    state.git.branches.set(BRANCH, next);
    expect((await openPull(host, CHANGE, next)).opened).toBe(true);
    expect(filesOf(BRANCH)).toEqual({ ...THEN, "README.md": "other\n" });
    expect(state.pulls.map((pull) => pull.state)).toEqual(["closed", "open"]);
  });

  test("a checkout that is not at main's head is refused, and nothing is written", async () => {
    const refused = openPull(host, CHANGE, "f".repeat(40));
    await expect(refused).rejects.toMatchObject({ code: "E_PROMOTION", message: expect.stringContaining(`and main of ${host.where} at ${base.slice(0, 12)}`) });
    expect([writes(), state.pulls]).toEqual([[], []]);
  });

  test("a token that may only read is told what it lacks", async () => {
    state.accounts.set(TOKEN, { id: 1, login: "me", kind: "person", rights: "read" });
    await expect(openPull(host, CHANGE, base)).rejects.toMatchObject({ status: 403, hint: expect.stringMatching(/contents: write|role Developer/) });
    expect([state.git.branches.has(BRANCH), state.pulls]).toEqual([false, []]);
  });

  const LAST = name === "github" ? [/\/git\/trees$/, /\/git\/commits$/, /\/git\/refs$/, /\/pulls$/] : [/\/repository\/commits$/, /\/merge_requests$/];
  test.each(LAST)("the answer of POST %s is lost, or never comes, at every step: one branch, one request", async (path) => {
    for (const done of [{ done: true as const }, {}]) {
      hosts.fail({ method: "POST", path, ...done });
      const { url } = await openPull(host, CHANGE, base).catch(() => openPull(host, CHANGE, base));
      expect([url, filesOf(BRANCH), state.pulls.length]).toEqual([page(), THEN, 1]);
      state.git.branches.delete(BRANCH);
      state.pulls.splice(0);
    }
  });

  test("two at once: one request", async () => {
    const both = await Promise.allSettled([openPull(host, CHANGE, base), openPull(host, CHANGE, base)]);
    const urls = both.flatMap((one) => (one.status === "fulfilled" ? [one.value.url] : []));
    expect([new Set(urls).size, urls.length, state.pulls.length]).toEqual([1, 2, 1]);
    expect(filesOf(BRANCH)).toEqual(THEN);
  });
});
