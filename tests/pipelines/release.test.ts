/** Releases and the check of commits, on scratch repositories with a remote of their own. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

const ROOT = path.join(__dirname, "..", "..");
let dir: string;
let work: string;
let remote: string;

function run(program: string, args: string[], cwd = work, env: Record<string, string> = {}) {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd, encoding: "utf8", env: { PATH: process.env["PATH"], HOME: dir, ...env } });
  return { code: status, out: stdout, err: stderr };
}
const git = (...args: string[]): string => {
  const { code, out, err } = run("git", ["-c", "user.name=t", "-c", "user.email=t@t", ...args]);
  expect([code, err]).toEqual([0, expect.anything()]);
  return out;
};
const commit = (...message: string[]): void => void git("commit", "-q", "--allow-empty", ...message.flatMap((part) => ["-m", part]));
const release = (...args: string[]) => run(process.execPath, [path.join(ROOT, "bin/pipelines/release.main.js"), ...args]);
const commits = (env: Record<string, string> = {}) => run(process.execPath, [path.join(ROOT, "bin/pipelines/commits.main.js")], work, env);
const tags = (where = work): string[] =>
  run("git", ["tag", "--list"], where)
    .out.split("\n")
    .filter((tag) => tag !== "");
const changelog = (): string =>
  fs
    .readFileSync(path.join(work, "CHANGELOG.md"), "utf8")
    .replaceAll(/\d{4}-\d\d-\d\d/g, "DATE")
    .replaceAll(/\([0-9a-f]{9}\)/g, "(HASH)");
const versionIn = (file: string): string => (JSON.parse(fs.readFileSync(path.join(work, file), "utf8")) as { version: string }).version;

beforeEach(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), "release-"));
  [work, remote] = [path.join(dir, "work"), path.join(dir, "remote.git")];
  fs.mkdirSync(work);
  run("git", ["init", "-q", "--bare", "-b", "main", remote], dir);
  git("init", "-q", "-b", "main");
  git("remote", "add", "origin", remote);
  const manifest = { name: "homelab", version: "0.1.0", dependencies: { semver: "0.1.0" } };
  fs.writeFileSync(path.join(work, "package.json"), `${JSON.stringify(manifest, undefined, 2)}\n`);
  const lock = { name: "homelab", version: "0.1.0", packages: { "": { name: "homelab", version: "0.1.0" }, "node_modules/semver": { version: "0.1.0" } } };
  fs.writeFileSync(path.join(work, "package-lock.json"), `${JSON.stringify(lock, undefined, 2)}\n`);
  git("add", "-A");
  commit("feat: the first");
  git("push", "-q", "origin", "main");
});
afterEach(() => fs.rmSync(dir, { recursive: true, force: true }));

test("the first release has the version of package.json; commit, tag and changelog are pushed together", () => {
  expect(release("--push")).toMatchObject({ code: 0, err: "" });
  expect([tags(remote), changelog()]).toEqual([["v0.1.0"], "# Changelog\n\n## 0.1.0 (DATE)\n\n### Features\n\n- the first (HASH)\n"]);
  expect(run("git", ["log", "-1", "--format=%s", "main"], remote).out).toBe("chore(release): 0.1.0 [skip ci]\n");
  expect(run("git", ["rev-parse", "v0.1.0^{commit}"], remote).out).toBe(run("git", ["rev-parse", "main"], remote).out);
  expect(git("cat-file", "-t", "v0.1.0")).toBe("tag\n");
});

test.each([
  ["feat: x", "0.2.0", "1.3.0"],
  ["fix: x", "0.1.1", "1.2.4"],
  ["perf(engine): x", "0.1.1", "1.2.4"],
  ["refactor: x", "0.1.1", "1.2.4"],
  ["revert: x", "0.1.1", "1.2.4"],
  ["docs: x", "0.1.1", "1.2.4"],
  ["style: x", "0.1.1", "1.2.4"],
  ["chore: x", "0.1.1", "1.2.4"],
  ["build(deps): x", "0.1.1", "1.2.4"],
  ["ci: x", undefined, undefined],
  ["test: x", undefined, undefined],
  ["feat!: x", "0.2.0", "2.0.0"],
  ["fix(lab)!: x", "0.2.0", "2.0.0"],
  ["no convention", undefined, undefined],
])("%s raises 0.1.0 to %s and 1.2.3 to %s", (subject, early, late) => {
  for (const [from, to] of [
    ["0.1.0", early],
    ["1.2.3", late],
  ] as const) {
    git("tag", "-a", `v${from}`, "-m", "x");
    commit(subject);
    const { code, out } = release("--write");
    expect([code, tags().filter((tag) => tag !== "v0.1.0" && tag !== `v${from}`)]).toEqual([0, to === undefined ? [] : [`v${to}`]]);
    if (to === undefined) expect(out).toBe(`nothing to release since v${from}\n`);
    else expect([versionIn("package.json"), versionIn("package-lock.json")]).toEqual([to, to]);
    for (const tag of tags()) if (tag !== "v0.1.0") git("tag", "-d", tag);
    git("checkout", "-q", "-f", "-B", "main", "origin/main");
  }
});

test("a footer that names what breaks counts as much as the mark; a package of the same version keeps its own", () => {
  git("tag", "-a", "v1.0.0", "-m", "x");
  commit("fix(lab): y", "why", "BREAKING CHANGE: the port is another one\nReviewed-by: x");
  commit("feat(engine): <b> for @everyone");
  commit("no convention at all");
  const { code, err } = release("--write");
  expect([code, err]).toEqual([0, 'warning: not conventional, left out: "no convention at all"\n']);
  expect(changelog()).toBe(
    "# Changelog\n\n## 2.0.0 (DATE)\n\n### Breaking changes\n\n- **lab:** the port is another one (HASH)\n\n### Features\n\n- **engine:** &lt;b> for @\u200beveryone (HASH)\n\n### Fixes\n\n- **lab:** y (HASH)\n",
  );
  expect(JSON.parse(fs.readFileSync(path.join(work, "package-lock.json"), "utf8"))).toMatchObject({
    packages: { "": { version: "2.0.0" }, "node_modules/semver": { version: "0.1.0" } },
  });
  expect(JSON.parse(fs.readFileSync(path.join(work, "package.json"), "utf8"))).toMatchObject({ dependencies: { semver: "0.1.0" } });
});

test("a release is above the one before in the changelog, and the commit of a release calls for none", () => {
  expect(release("--push").code).toBe(0);
  expect(release("--push").out).toBe("nothing to release since v0.1.0\n");
  commit("fix: second");
  expect(release("--push").code).toBe(0);
  expect(changelog()).toBe("# Changelog\n\n## 0.1.1 (DATE)\n\n### Fixes\n\n- second (HASH)\n\n## 0.1.0 (DATE)\n\n### Features\n\n- the first (HASH)\n");
  expect(tags(remote)).toEqual(["v0.1.0", "v0.1.1"]);
});

test("an application's version is a tag in its own repository and no commit; its image has that name, or its commit's where there is no release", () => {
  const outputs = path.join(dir, "outputs");
  const [app, appRemote] = [path.join(dir, "app"), path.join(dir, "app.git")];
  run("git", ["clone", "-q", "--bare", remote, appRemote], dir);
  run("git", ["clone", "-q", appRemote, app], dir);
  // An application without a package.json.
  run("git", ["-C", app, "-c", "user.name=t", "-c", "user.email=t@t", "rm", "-q", "package.json"]);
  run("git", ["-C", app, "-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "feat: in Go"]);
  const head = run("git", ["-C", app, "rev-parse", "HEAD"]).out.trim();
  const version = () => release("--folder", app, "--tag-only", "--push", "--outputs", outputs);
  expect(version()).toMatchObject({ code: 0, err: "", out: expect.stringMatching(/v0\.1\.0 is pushed\n$/) });
  expect([tags(appRemote), run("git", ["-C", app, "rev-parse", "HEAD"]).out.trim(), tags()]).toEqual([["v0.1.0"], head, []]);
  expect(run("git", ["rev-parse", "v0.1.0^{commit}"], appRemote).out.trim()).toBe(head);
  expect(run("git", ["log", "-1", "--format=%s", "main"], appRemote).out).toBe("feat: the first\n");
  expect(version()).toMatchObject({ code: 0, out: "nothing to release since v0.1.0\n" });
  expect(fs.readFileSync(outputs, "utf8")).toBe(`IMAGE_TAG=0.1.0\nIMAGE_TAG=${head}\n`);
});

test("without a flag nothing is written; tags of other kinds count for nothing", () => {
  for (const tag of ["v9", "v2.0.0-rc.1", "other"]) git("tag", tag);
  const { code, out } = release();
  expect([code, out.split("\n")[0]?.replace(/\(.*/, "")]).toEqual([0, "## 0.1.0 "]);
  expect([git("status", "--porcelain"), fs.existsSync(path.join(work, "CHANGELOG.md"))]).toEqual(["", false]);
});

test("what cannot be released from is refused: changed files, a clone of the newest commits, a main that went on, an unknown flag", () => {
  fs.appendFileSync(path.join(work, "package.json"), "\n");
  expect(release("--push")).toMatchObject({ code: 1, err: expect.stringContaining("files that Git knows are changed") });
  git("checkout", "-q", ".");
  expect(release("--publish")).toMatchObject({ code: 2, err: expect.stringMatching(/^usage: npm run release /) });

  run("git", ["clone", "-q", remote, "other"], dir);
  run("git", ["-c", "user.name=t", "-c", "user.email=t@t", "commit", "-q", "--allow-empty", "-m", "fix: in between"], path.join(dir, "other"));
  run("git", ["push", "-q", "origin", "main"], path.join(dir, "other"));
  expect(release("--push")).toMatchObject({ code: 1, err: expect.stringContaining("git push failed") });
  // Commit, tag and changelog are pushed together or not at all.
  expect(tags(remote)).toEqual([]);

  run("git", ["clone", "-q", "--depth", "1", `file://${remote}`, "shallow"], dir);
  work = path.join(dir, "shallow");
  expect(release("--push")).toMatchObject({ code: 1, err: expect.stringMatching(/holds only the newest commits[\s\S]*fetch-depth 0/) });
});

const sha = (rev: string): string => git("rev-parse", rev).trim();
function event(title: string, base: string): Record<string, string> {
  const file = path.join(dir, "event.json");
  fs.writeFileSync(file, JSON.stringify({ pull_request: { title, base: { sha: base }, head: { sha: sha("HEAD") } } }));
  return { GITHUB_EVENT_PATH: file };
}

test("each commit of a change and its title must be conventional, on either host and here", () => {
  const base = sha("HEAD");
  commit("fix(lab): one");
  commit("docs: Vault is a name");
  expect(commits(event("feat: both", base))).toEqual({ code: 0, out: "2 commits checked\n", err: "" });
  expect(commits()).toEqual({ code: 0, out: "2 commits checked\n", err: "" });
  const merge = { GITLAB_CI: "true", CI_MERGE_REQUEST_DIFF_BASE_SHA: base, CI_COMMIT_SHA: sha("HEAD"), CI_MERGE_REQUEST_TITLE: "Draft of it" };
  expect(commits(merge)).toMatchObject({ code: 1, err: expect.stringContaining('the title "Draft of it": it does not begin as `type(scope): subject`') });
});

test.each([
  ["Fix: x", "the type Fix is none of feat, fix,"],
  ["fix x", "does not begin as"],
  ["fix : x", "does not begin as"],
  ["fix:x", "one blank"],
  ["fix:  x", "one blank"],
  ["fix:", "one blank"],
  ["feature: x", "the type feature is none of"],
  ["fix(): x", 'the scope ""'],
  ["fix(The Lab): x", 'the scope "The Lab"'],
  ["fix: Add a thing", "lower-case letter"],
  ["fix: x.", "full stop"],
  ["constructor: x", "the type constructor is none of"],
  ["::add-mask::fix", "does not begin as"],
])("the title %s is refused, and says why", (title, why) => {
  const { code, err } = commits(event(title, sha("HEAD")));
  expect([code, err]).toEqual([1, expect.stringContaining(why)]);
  // Texts of commits cannot start a line of the log, where GitHub would read `::` as a command.
  expect(err.split("\n").filter((line) => line.startsWith("::"))).toEqual([]);
});

test("a run that is about no change says so", () => {
  const file = path.join(dir, "event.json");
  fs.writeFileSync(file, JSON.stringify({ ref: "refs/heads/main" }));
  expect(commits({ GITHUB_EVENT_PATH: file })).toMatchObject({ code: 1, err: expect.stringContaining("not about a pull request") });
  expect(commits({ GITHUB_EVENT_PATH: path.join(dir, "none") })).toMatchObject({ code: 1, err: expect.stringContaining("cannot be read") });
  expect(commits({ GITLAB_CI: "true" })).toMatchObject({ code: 1, err: expect.stringContaining("not about a merge request") });
});
