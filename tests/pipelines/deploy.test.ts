/** `npm run deploy` on scratch repositories with their own remotes. A stand-in for `homelab` writes the files of a promotion and a rendering. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

const ROOT = path.join(__dirname, "..", "..");
const DIGEST = `sha256:${"1".repeat(64)}`;
let dir: string;
let work: string;
let remote: string;

function run(program: string, args: string[], env: Record<string, string> = {}, cwd = work) {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd, encoding: "utf8", env: { PATH: process.env["PATH"], HOME: dir, ...env } });
  return { code: status, out: stdout, err: stderr };
}
const git = (...args: string[]): string => run("git", ["-c", "user.name=t", "-c", "user.email=t@t", ...args]).out;
const deploy = (env: Record<string, string>, ...args: string[]) => run(process.execPath, [path.join(ROOT, "bin/pipelines/deploy.main.js"), ...args], env);
const onMain = (format: string): string => run("git", ["log", "-1", `--format=${format}`, "main"], {}, remote).out.trim();
const fileOnMain = (file: string): string => run("git", ["show", `main:${file}`], {}, remote).out;
const calls = (): string[] => (fs.existsSync(path.join(dir, "calls")) ? fs.readFileSync(path.join(dir, "calls"), "utf8").split("\n").slice(0, -1) : []);

/** Writes its arguments into the stage's file. FAIL names the command that fails. The file `others` says how often somebody else pushes in between. */
const STAND_IN = `const fs = require("node:fs"), path = require("node:path"), { execFileSync } = require("node:child_process");
const words = process.argv.slice(2), dir = process.env.HOME;
fs.appendFileSync(path.join(dir, "calls"), words.join(" ") + (process.env.GITHUB_TOKEN || process.env.GITLAB_TOKEN ? " with a token" : "") + "\\n");
if (words[0] === process.env.FAIL) process.exit(4);
if (words[0] === "promote") fs.writeFileSync("Pulumi." + words[3] + ".yaml", words.slice(4).join(" ") + "\\n");
else fs.writeFileSync(path.join("gitops", words[1], "manifests.yaml"), fs.readFileSync("Pulumi." + words[1] + ".yaml"));
const left = path.join(dir, "others"), count = fs.existsSync(left) ? Number(fs.readFileSync(left, "utf8")) : 0;
if (words[0] === "promote" && count > 0) {
  fs.writeFileSync(left, String(count - 1));
  const git = (...args) => execFileSync("git", ["-c", "user.name=o", "-c", "user.email=o@o", "-C", path.join(dir, "other"), ...args], { stdio: "pipe" });
  git("pull", "-q", "origin", "main");
  git("commit", "-q", "--allow-empty", "-m", "fix: of somebody else " + count);
  git("push", "-q", "origin", "main");
}
`;

beforeEach(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), "deploy-"));
  [work, remote] = [path.join(dir, "work"), path.join(dir, "remote.git")];
  for (const folder of ["orchestrator/bin", "gitops/stg"]) fs.mkdirSync(path.join(work, folder), { recursive: true });
  fs.writeFileSync(path.join(work, "orchestrator/bin/homelab"), STAND_IN);
  for (const file of ["Pulumi.dev.yaml", "Pulumi.stg.yaml", "gitops/stg/manifests.yaml"]) fs.writeFileSync(path.join(work, file), "first\n");
  run("git", ["init", "-q", "--bare", "-b", "main", remote]);
  git("init", "-q", "-b", "main");
  git("remote", "add", "origin", remote);
  git("add", "-A");
  git("commit", "-q", "-m", "feat: the first");
  git("push", "-q", "origin", "main");
  run("git", ["clone", "-q", remote, path.join(dir, "other")]);
});
afterEach(() => fs.rmSync(dir, { recursive: true, force: true }));

const IMAGE = `registry.example/library/writer@${DIGEST}`;
const TO_DEV = { DEPLOY_APP: "writer", DEPLOY_TO: "dev", DEPLOY_IMAGE: IMAGE, DEPLOY_FROM: "", DEPLOY_BACK: "false" };
const TO_STG = { DEPLOY_APP: "writer", DEPLOY_TO: "stg", DEPLOY_FROM: "dev" };

test("what was built goes to the first stage, on to the next with its manifests, and back: a commit on main each, and homelab sees no token", () => {
  expect(deploy({ ...TO_DEV, GITHUB_TOKEN: "t" })).toMatchObject({ code: 0, err: "", out: "pushed: ci(gitops): writer in dev runs what was built\n" });
  expect([onMain("%s"), fileOnMain("Pulumi.dev.yaml")]).toEqual([
    "ci(gitops): writer in dev runs what was built",
    `--image ${IMAGE} --yes --approve production\n`,
  ]);
  expect(deploy({ ...TO_STG, GITLAB_TOKEN: "t" }).code).toBe(0);
  expect([onMain("%s"), fileOnMain("gitops/stg/manifests.yaml")]).toEqual([
    "ci(gitops): writer in stg runs what dev runs",
    "--from dev --yes --approve production\n",
  ]);
  expect(deploy({ DEPLOY_APP: "writer", DEPLOY_TO: "stg", DEPLOY_BACK: "true" }).code).toBe(0);
  expect(onMain("%s")).toBe("ci(gitops): writer in stg goes back");
  expect(calls()).toEqual([
    `promote writer --to dev --image ${IMAGE} --yes --approve production`,
    "promote writer --to stg --from dev --yes --approve production",
    "render stg",
    "promote writer --to stg --back --yes --approve production",
    "render stg",
  ]);
});

test("what the stage has already makes no commit", () => {
  deploy(TO_STG);
  const before = onMain("%H");
  expect([deploy(TO_STG).code, onMain("%H")]).toEqual([0, before]);
});

test("somebody else's push meanwhile is kept, and the promotion is made again of what is there then; after five of them nothing is pushed", () => {
  fs.writeFileSync(path.join(dir, "others"), "2");
  expect(deploy(TO_STG)).toMatchObject({ code: 0, err: expect.stringContaining("somebody else pushed") });
  expect(run("git", ["log", "-4", "--format=%s", "main"], {}, remote).out).toBe(
    "ci(gitops): writer in stg runs what dev runs\nfix: of somebody else 1\nfix: of somebody else 2\nfeat: the first\n",
  );
  fs.writeFileSync(path.join(dir, "others"), "5");
  expect(deploy(TO_DEV)).toMatchObject({ code: 1, err: expect.stringContaining("others pushed to main 5 times") });
  expect(onMain("%s")).toBe("fix: of somebody else 1");
});

test.each([["promote"], ["render"]])("where homelab %s fails, the job does with its exit code, and nothing is pushed", (command) => {
  expect([deploy({ ...TO_STG, FAIL: command }).code, onMain("%s")]).toEqual([4, "feat: the first"]);
});

test("the token of GitLab pushes to the project's address, not to the checkout's, which has the job's own token in it", () => {
  git("config", `url.${path.join(dir, "nowhere.git")}.pushInsteadOf`, remote);
  expect(deploy({ ...TO_STG, GITLAB_TOKEN: "t" }).code).toBe(1);
  git("reset", "-q", "--hard", "origin/main");
  expect(deploy({ ...TO_STG, GITLAB_TOKEN: "t", CI_PROJECT_URL: path.join(dir, "remote") }).code).toBe(0);
  expect(onMain("%s")).toBe("ci(gitops): writer in stg runs what dev runs");
});

test.each<[string, Record<string, string>, RegExp]>([
  ["no application", { DEPLOY_TO: "stg", DEPLOY_FROM: "dev" }, /DEPLOY_APP/],
  ["no stage", { DEPLOY_APP: "writer", DEPLOY_FROM: "dev" }, /DEPLOY_TO/],
  ["an application that is a flag", { ...TO_STG, DEPLOY_APP: "--approve" }, /DEPLOY_APP: no name/],
  ["a stage that is a path", { ...TO_STG, DEPLOY_TO: "../stg" }, /DEPLOY_TO: no name/],
  ["an image that is a flag", { ...TO_DEV, DEPLOY_IMAGE: "--back" }, /DEPLOY_IMAGE: no image/],
  ["no place that it comes from", { DEPLOY_APP: "writer", DEPLOY_TO: "stg" }, /one of DEPLOY_IMAGE/],
  ["two places", { ...TO_STG, DEPLOY_BACK: "true" }, /one of DEPLOY_IMAGE/],
  ["a word for back", { ...TO_STG, DEPLOY_BACK: "yes" }, /DEPLOY_BACK/],
])("%s is refused by its variable, and homelab is not asked", (_, env, said) => {
  expect(deploy(env)).toMatchObject({ code: 1, err: expect.stringMatching(said) });
  expect([calls(), onMain("%s")]).toEqual([[], "feat: the first"]);
});

test("changed files, commits that main does not have, and words are refused", () => {
  expect(deploy(TO_STG, "writer")).toMatchObject({ code: 2, err: expect.stringMatching(/^usage: npm run deploy/) });
  fs.writeFileSync(path.join(work, "Pulumi.dev.yaml"), "changed\n");
  expect(deploy(TO_STG)).toMatchObject({ code: 1, err: expect.stringContaining("files that Git knows are changed") });
  git("commit", "-qam", "feat: not pushed");
  expect(deploy(TO_STG)).toMatchObject({ code: 1, err: expect.stringContaining("commits that main does not have") });
  expect([calls(), git("log", "-1", "--format=%s"), onMain("%s")]).toEqual([[], "feat: not pushed\n", "feat: the first"]);
});
