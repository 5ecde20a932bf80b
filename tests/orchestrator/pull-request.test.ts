/**
 * A pull request from its first push to its merge, with the commands of the workflows. There is a Git repository whose base is built in a
 * lab, a fork's head that changes it, the comment by the real client at the lab's API, then plan, up and drift of the merged commit.
 */
import { execFileSync, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { driftSchema } from "../../orchestrator/drift/drift-schema";
import { type RunReport, reportSchema } from "../../orchestrator/report/report-schema";
import { startWorld, type World, workflowRun } from "../pipelines/comment-world";
import { copyProgram, LEFT_OUT, placeHomelab } from "../support/homelab";
import { askVault } from "../support/rehearsal";
import { runCommand } from "../support/run-command";

const ROOT = path.join(__dirname, "..", "..");
const SCRIPT = "pipelines/preview.sh";

// Builds three stacks once; everything after that runs only the stacks that a change affects.
jest.setTimeout(900_000);

let dir: string;
let world: World;
beforeAll(async () => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), "pull-request-"));
  const base = path.join(dir, "base");
  copyProgram(base);
  placeHomelab(base, { stacks: ["tools", "observability", "sandboxy"], without: LEFT_OUT });
  git(base, "init", "--quiet");
  commit(base, "feat: the homelab");
  fs.cpSync(base, path.join(dir, "head"), { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
  world = await startWorld();
});
afterAll(async () => {
  await homelab(path.join(dir, "base"), "lab", "stop");
  await world.close();
  fs.rmSync(dir, { recursive: true, force: true });
});

const git = (folder: string, ...args: string[]): string =>
  execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@example.org", ...args], { cwd: folder, encoding: "utf8", stdio: "pipe" });
function commit(folder: string, subject: string): string {
  git(folder, "add", "--all", "--", ".", ":!node_modules");
  git(folder, "commit", "--quiet", "--message", subject);
  return git(folder, "rev-parse", "HEAD").trim();
}

/** @returns a function that undoes the edit */
function edit(file: string, from: string | RegExp, to: string): () => void {
  const before = fs.readFileSync(file, "utf8");
  const after = before.replace(from, to);
  if (before === after) throw new Error(`${file} has nothing to change`);
  fs.writeFileSync(file, after);
  return () => fs.writeFileSync(file, before);
}

const env = (): Record<string, string> => ({
  PATH: `${path.dirname(process.execPath)}:/usr/bin:/bin`,
  HOME: dir,
  NO_COLOR: "1",
  HOMELAB_LAB_DIR: path.join(dir, "lab"),
  HOMELAB_LAB_FLAGS: "--latency zero --proxy-port 0 --bastion-port 0 --control-port 0",
});
const homelab = (folder: string, ...args: string[]) =>
  runCommand(spawn(process.execPath, [path.join(folder, "orchestrator/bin/homelab"), ...args], { cwd: folder, env: env(), stdio: ["pipe", "pipe", "pipe"] }));
const head = (...rest: string[]): string => path.join(dir, "head", ...rest);

/** A push to the fork's branch: runs the preview job, then the comment job, which the host starts after it. */
async function push(subject: string) {
  const sha = commit(head(), subject);
  const out = path.join(dir, "preview");
  const script = [path.join(dir, "base", SCRIPT), path.join(dir, "base"), head(), out];
  const preview = await runCommand(spawn("sh", script, { cwd: dir, env: env(), stdio: ["pipe", "pipe", "pipe"] }));
  const [pull] = world.hosts.github.pulls;
  if (pull === undefined) throw new Error("no pull request");
  pull.head = sha;
  world.file("event.json", workflowRun({ head_sha: sha, conclusion: preview.code === 0 ? "success" : "failure" }));
  const said = await world.comment("--github", "--report", path.join(out, "report.json"), "--failure", path.join(out, "failure.txt"));
  expect([said.code, said.err]).toEqual([0, ""]);
  const bodies = pull.comments.map(({ body }) => body);
  return { ...preview, said: said.out, count: bodies.length, text: bodies[0] ?? "", sha };
}

const CREATED = { said: "the comment on me/homelab#7 is created\n", count: 1 };
const UPDATED = { said: "the comment on me/homelab#7 is updated\n", count: 1 };

const reportOf = (): RunReport => reportSchema.parse(JSON.parse(fs.readFileSync(path.join(dir, "preview/report.json"), "utf8")));
const changedStacks = ({ stacks }: RunReport): string[] =>
  stacks.filter(({ changes }) => Object.entries(changes).some(([op, count]) => !["same", "read"].includes(op) && count > 0)).map(({ stack }) => stack);

test("a fork's first push: the comment shows what it changes of the built base, of the stacks that it concerns, and why", async () => {
  edit(head("site/vms/k8s-sandbox-01.yaml"), "memory: 32768", "memory: 16384");
  const pushed = await push("feat(site): less memory for the sandbox");
  expect([pushed.code, pushed.err, pushed.code === 0 ? "" : pushed.out]).toEqual([0, "", ""]);
  expect(pushed).toMatchObject(CREATED);
  const shown = new Map(reportOf().stacks.map(({ stack, why }) => [stack, why]));
  expect([shown.get("sandboxy"), changedStacks(reportOf())]).toEqual([expect.stringMatching(/^changed: .*vm k8s-sandbox-01/), ["sandboxy"]]);
  const { text } = pushed;
  expect(text).toMatch(
    /^<!-- homelab:preview -->\n## This changes the homelab\n\n\| stack .* \| why \|\n(.*\n)*\| sandboxy \|.*`changed: .*vm k8s-sandbox-01`/,
  );
  expect(text).toMatch(/^- `sandboxy: .*VM \d+ .*will be restarted.*`$/m);
  expect(text).toMatch(/^~ proxmoxve:index\/vmLegacy:VmLegacy k8s-sandbox-01-vm\n {4}memory\.dedicated: 32768 → 16384$/m);
  expect(text).toContain(`commit \`${pushed.sha}\``);
  expect(text).not.toContain("homelab:hosts:");
});

test("what is broken before the first stack is a comment that says why, in the same place", async () => {
  const yaml = edit(head("site/vms/k8s-sandbox-01.yaml"), /$/, "disks: [\n");
  const first = await push("feat(site): a disk");
  expect(first).toMatchObject({ code: 1, ...UPDATED });
  expect(first.text).toMatch(
    /^<!-- homelab:preview -->\n## The preview failed\n\nIt ended before the first stack\.\n\n```\nerror: [\s\S]*k8s-sandbox-01\.yaml/,
  );
  yaml();
  const site = edit(head("site/site.ts"), 'domain: "fullstack.pw",', 'domain: "fullstack.pw"');
  const second = await push("feat(site): a word less");
  expect(second).toMatchObject({ code: 1, ...UPDATED });
  expect(second.text).toMatch(/It ended before the first stack\.\n\n```\nerror: site\/site\.ts:\d+:\d+: Expected ','/);
  site();
});

test("what production protects is protected here; the lab of the same base is not built again", async () => {
  const tools = head("site/vms/k8s-tools.yaml");
  const back = edit(tools, "node03", "node01");
  edit(tools, "cores: 8", "cores: 2");
  edit(tools, "memory: 32768", "memory: 8704");
  const { code, out, text } = await push("feat(site): the tools on another node");
  expect([code, out]).toEqual([1, expect.not.stringContaining("up: ")]);
  expect(text).toContain("## The preview failed");
  expect(text).toMatch(/### ✘ tools\n\n```\n[\s\S]*protect[\s\S]*k8s-tools holds data/);
  back();
});

test("the next push updates the comment: an application that is removed is named among the deletions", async () => {
  edit(head("site/stacks.ts"), /\n {4}apps: \{ whoami \},/, "");
  const pushed = await push("feat(site): no whoami in the sandbox");
  expect([pushed.code, pushed.code === 0 ? "" : pushed.out]).toEqual([0, ""]);
  expect(pushed).toMatchObject(UPDATED);
  expect(changedStacks(reportOf())).toContain("sandboxy");
  expect(pushed.text).toMatch(/### ⚠ Replacements and deletions\n\n(- .*\n)*- \*\*delete\*\* `sandboxy: kubernetes:core\/v1:Namespace .*whoami/);
  expect(pushed.text).toContain("memory.dedicated: 32768 → 16384");
});

test("what was merged is planned and done as planned; the same plan again is refused, and the summary says what differs", async () => {
  const files = { plan: path.join(dir, "plan.json"), summary: path.join(dir, "summary.md") };
  const merged = (...args: string[]) => homelab(head(), ...args);
  expect(await merged("lab", "start")).toMatchObject({ code: 0 });
  // The base's version of the application runs in its cluster.
  const running = await homelab(path.join(dir, "base"), "apps", "sandboxy", "--lab", "--rollout", "1");
  expect([running.code, running.out]).toEqual([0, expect.stringMatching(/^whoami +sandboxy .* runs: 1 of 1 replicas run it\n$/)]);
  const planned = await merged("preview", "sandboxy", "--only", "--lab", "--plain", "--plan", files.plan, "--markdown", files.summary);
  expect([planned.code, planned.err]).toEqual([0, ""]);
  expect(fs.readFileSync(files.summary, "utf8")).toContain("## This changes the homelab\n");
  // The plan has names and fingerprints, and no values.
  expect(fs.readFileSync(files.plan, "utf8")).not.toMatch(/16384|32768/);
  const up = (): ReturnType<typeof merged> =>
    merged("up", "--plain", "--plan", files.plan, "--yes", "--approve", "production", "--lab", "--markdown", files.summary);
  const done = await up();
  expect([done.code, done.err]).toEqual([0, ""]);
  expect(fs.readFileSync(files.summary, "utf8")).toMatch(/## The homelab was changed\n[\s\S]*memory\.dedicated: 32768 → 16384/);
  const again = await up();
  expect([again.code, again.err]).toEqual([4, expect.stringContaining("sandboxy: - update VmLegacy k8s-sandbox-01-vm: in the plan, and no longer to be done")]);
  expect(fs.readFileSync(files.summary, "utf8")).toMatch(/## The up was refused\n[\s\S]*- update VmLegacy k8s-sandbox-01-vm: in the plan/);
});

test("drift behind the state opens an issue that names the field and not what is in it, and is closed when it is gone", async () => {
  const token = (await homelab(head(), "vault", "root", "--lab")).out.trim();
  const vault = (route: string, call?: Parameters<typeof askVault>[3]) => askVault(path.join(dir, "lab"), route, token, call);
  const names = z.object({ data: z.object({ keys: z.array(z.string()) }) }).parse((await vault("sys/policies/acl?list=true")).body).data.keys;
  const route = `sys/policies/acl/${names.find((name) => name.startsWith("namespace.")) ?? ""}`;
  const { policy } = z.object({ data: z.object({ policy: z.string() }) }).parse((await vault(route)).body).data;
  const write = async (text: string): Promise<void> => void expect((await vault(route, { method: "PUT", body: { policy: text } })).status).toBe(204);
  const file = path.join(dir, "drift.json");
  const look = async () => {
    const { code, out } = await homelab(head(), "drift", "tools", "--stacks-only", "--names-only", "--lab", "--report", file);
    const issue = await world.homelab("issue", "--github", "--drift", file);
    expect([issue.code, issue.err]).toEqual([0, ""]);
    const issues = world.hosts.github.issues.map(({ title, state }) => [title, state]);
    return { code, out, issues, drift: driftSchema.parse(JSON.parse(fs.readFileSync(file, "utf8"))) };
  };
  Object.assign(process.env, { GITHUB_SHA: "b".repeat(40), GITHUB_SERVER_URL: "https://github.com", GITHUB_RUN_ID: "11" });
  await write('path "nothing" { capabilities = ["deny"] }');
  const found = await look();
  expect([found.code, found.issues, found.drift.drifted]).toEqual([3, [["Drift: 1 resource", "open"]], true]);
  const text = world.hosts.github.issues[0]?.body ?? "";
  expect(text).toMatch(/~ vault:index\/policy:Policy .*\n {4}policy\n/);
  // The value is neither in the issue, nor in the run's artefact, nor in its log.
  expect([text, fs.readFileSync(file, "utf8"), found.out].filter((one) => one.includes("capabilities"))).toEqual([]);
  await write(policy);
  expect(await look()).toMatchObject({ code: 0, issues: [["Drift: gone", "closed"]] });
});

test("what is no report of ours is refused, whatever it holds; no artefact at all is a comment too", async () => {
  const comment = (out: string) =>
    homelab(path.join(dir, "base"), "comment", "--report", path.join(dir, out, "report.json"), "--failure", path.join(dir, out, "failure.txt"));
  fs.mkdirSync(path.join(dir, "evil"));
  const file = path.join(dir, "evil/report.json");
  for (const content of ["<!-- homelab:preview -->\n# Buy now", "{}", JSON.stringify({ version: 1, stacks: [{ stack: "a | b" }] })]) {
    fs.writeFileSync(file, content);
    const { code, out, err } = await comment("evil");
    expect([code, out, err]).toEqual([1, "", expect.stringMatching(/^error: .*report\.json is no report of a run/)]);
  }
  fs.rmSync(file);
  fs.symlinkSync("/etc/passwd", file);
  expect(await comment("evil")).toMatchObject({ code: 1, out: "" });
  expect((await comment("nothing")).out).toContain("It ended before the first stack.");
});

test("the code that is given a token takes nothing of the pull request but data", () => {
  const { jobs } = parse(fs.readFileSync(path.join(ROOT, ".github/workflows/comment.yml"), "utf8")) as {
    jobs: { comment: { permissions: object; steps: { uses?: string; run?: string; with?: Record<string, string> }[] } };
  };
  expect(jobs.comment.permissions).toEqual({ actions: "read", contents: "read", "pull-requests": "write" });
  const checkouts = jobs.comment.steps.filter(({ uses }) => uses?.startsWith("actions/checkout"));
  expect(checkouts.map((step) => step.with?.["ref"])).toEqual([undefined]);
  const workflow = parse(fs.readFileSync(path.join(ROOT, ".github/workflows/preview.yml"), "utf8")) as {
    on: object;
    jobs: { preview: { permissions: object } };
  };
  expect([Object.keys(workflow.on), workflow.jobs.preview.permissions]).toEqual([["pull_request"], { contents: "read" }]);
  expect(JSON.stringify(workflow.jobs)).not.toContain("secrets.");
});
