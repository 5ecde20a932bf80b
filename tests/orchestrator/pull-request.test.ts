/** The pull request's preview as the workflow runs it: a base that is built in a lab, and a head that changes it. */
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { parse } from "yaml";
import { reportSchema } from "../../orchestrator/report/report-schema";
import { copyProgram, LEFT_OUT, placeHomelab } from "../support/homelab";
import { runCommand } from "../support/run-command";

const ROOT = path.join(__dirname, "..", "..");
const SCRIPT = "pipelines/preview.sh";

// Builds three stacks once, and previews them twice.
jest.setTimeout(900_000);

let dir: string;
beforeAll(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), "pull-request-"));
});
afterAll(async () => {
  await homelab(path.join(dir, "base"), "lab", "stop");
  fs.rmSync(dir, { recursive: true, force: true });
});

function checkout(name: string): string {
  const folder = path.join(dir, name);
  copyProgram(folder);
  placeHomelab(folder, { stacks: ["tools", "observability", "sandboxy"], without: LEFT_OUT });
  return folder;
}

function edit(file: string, from: string | RegExp, to: string): void {
  const before = fs.readFileSync(file, "utf8");
  const after = before.replace(from, to);
  if (before === after) throw new Error(`${file} has nothing to change`);
  fs.writeFileSync(file, after);
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
const preview = (head: string, out: string) =>
  runCommand(
    spawn("sh", [path.join(dir, "base", SCRIPT), path.join(dir, "base"), head, path.join(dir, out)], { cwd: dir, env: env(), stdio: ["pipe", "pipe", "pipe"] }),
  );
const comment = (out: string) =>
  homelab(path.join(dir, "base"), "comment", "--report", path.join(dir, out, "report.json"), "--failure", path.join(dir, out, "failure.txt"));

test("the comment of a head shows what it changes of the built base, and nothing else", async () => {
  const [base, head] = [checkout("base"), checkout("head")];
  // Of the same commit both times, so that the second preview takes the lab that the first one built.
  for (const args of [
    ["init", "-q"],
    ["-c", "user.name=t", "-c", "user.email=t@t", "commit", "-q", "--allow-empty", "-m", "base"],
  ])
    await runCommand(spawn("git", args, { cwd: base, stdio: ["pipe", "pipe", "pipe"] }));
  edit(path.join(head, "site/vms/k8s-sandbox-01.yaml"), "memory: 32768", "memory: 16384");
  const { code, out, err } = await preview(head, "first");
  // The head is a copy, and no clone: what it changes of which stack cannot be asked of Git.
  expect([code, err, code === 0 ? "" : out]).toEqual([
    0,
    expect.stringMatching(/^note: .* does not have the base's commit [0-9a-f]{40}: all stacks are shown\n$/),
    "",
  ]);
  const report = reportSchema.parse(JSON.parse(fs.readFileSync(path.join(dir, "first/report.json"), "utf8")));
  const changed = report.stacks.filter(({ changes }) => Object.entries(changes).some(([op, count]) => op !== "same" && op !== "read" && count > 0));
  expect(changed.map(({ stack }) => stack)).toEqual(["sandboxy"]);
  const text = (await comment("first")).out;
  expect(text).toMatch(/^<!-- homelab:preview -->\n## This changes the homelab\n/);
  expect(text).toMatch(/^- `sandboxy: .*VM \d+ .*will be restarted.*`$/m);
  expect(text).toMatch(/^~ proxmoxve:index\/vmLegacy:VmLegacy k8s-sandbox-01-vm\n {4}memory\.dedicated: 32768 → 16384$/m);
  expect(text).not.toContain("homelab:hosts:");
});

test("what production protects is protected here; the lab of the same base is not built again", async () => {
  const head = path.join(dir, "head");
  const tools = path.join(head, "site/vms/k8s-tools.yaml");
  edit(tools, "node03", "node01");
  edit(tools, "cores: 8", "cores: 2");
  edit(tools, "memory: 32768", "memory: 8704");
  const { code, out } = await preview(head, "second");
  expect([code, out]).toEqual([1, expect.not.stringContaining("up: ")]);
  const text = (await comment("second")).out;
  expect(text).toContain("## The preview failed");
  expect(text).toMatch(/### ✘ tools\n\n```\n[\s\S]*protect[\s\S]*k8s-tools holds data/);
});

test("a head that is broken before its first stack leaves a comment that says why", async () => {
  const head = path.join(dir, "head");
  edit(path.join(head, "site/site.ts"), 'domain: "fullstack.pw",', 'domain: "fullstack.pw"');
  expect((await preview(head, "third")).code).toBe(1);
  const { code, out } = await comment("third");
  expect(code).toBe(0);
  expect(out).toMatch(
    /^<!-- homelab:preview -->\n## The preview failed\n\nIt ended before the first stack\.\n\n```\nerror: site\/site\.ts:\d+:\d+: Expected ','/,
  );
});

test("what is no report of ours is refused, whatever it holds; no artefact at all is a comment too", async () => {
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
