/** A promotion in a checkout of its own with a registry on this machine: what is written, what is refused (moves.test.ts has more), and the way back. */
import { execFileSync, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { takeOwnerFile } from "../../common/owner-file";
import { startCommentHosts } from "../../lab/comments";
import { copyProgram } from "../../tests/support/homelab";

const DIGESTS: Record<string, string> = { "1.0.0": `sha256:${"1".repeat(64)}`, "1.1.0": `sha256:${"2".repeat(64)}` };

let checkout: string;
/** Called when the registry is asked. */
let onAsked: () => void = () => undefined;
let registry: http.Server;
let host: string;

const settings = (stack: string): string => path.join(checkout, `Pulumi.${stack}.yaml`);
const git = (...args: string[]): void => {
  execFileSync("git", ["-C", checkout, "-c", "user.name=t", "-c", "user.email=t@example.org", ...args], { stdio: "pipe" });
};
const imageOf = (stack: string): string | undefined => /^ {4}writer: (.*)$/m.exec(fs.readFileSync(settings(stack), "utf8"))?.[1];
function setImage(stack: string, image: string, app = "writer"): void {
  fs.writeFileSync(settings(stack), fs.readFileSync(settings(stack), "utf8").replace(new RegExp(`^ {4}${app}: .*$`, "m"), `    ${app}: ${image}`));
}

beforeAll(async () => {
  registry = http.createServer((request, response) => {
    onAsked();
    const reference = /^\/v2\/library\/writer\/manifests\/(.+)$/.exec(request.url ?? "")?.[1] ?? "";
    const digest = DIGESTS[reference] ?? Object.values(DIGESTS).find((one) => one === reference);
    response.writeHead(digest === undefined ? 404 : 200, digest === undefined ? {} : { "docker-content-digest": digest }).end();
  });
  await new Promise<void>((resolve) => registry.listen(0, "127.0.0.1", resolve));
  host = `127.0.0.1:${(registry.address() as AddressInfo).port}`;
  checkout = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-promote-"));
  copyProgram(checkout);
  fs.writeFileSync(path.join(checkout, ".gitignore"), "node_modules\nbin\n");
  for (const stack of ["dev", "stg", "prod"]) setImage(stack, `${host}/library/writer:1.0.0`);
  git("init", "-q");
  git("add", "-A");
  git("commit", "-qm", "first");
});
afterAll(() => {
  registry.close();
  fs.rmSync(checkout, { recursive: true, force: true });
});

interface Done {
  code: number | null;
  stdout: string;
  stderr: string;
}

const homelab = (...args: string[]): Promise<Done> => running(args).done;

function running(args: readonly string[], env: Readonly<Record<string, string>> = {}): { done: Promise<Done>; kill: () => void } {
  let kill = (): void => undefined;
  const done = new Promise<Done>((resolve, reject) => {
    const child = spawn(path.join(checkout, "orchestrator", "bin", "homelab"), args, {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, NO_PROXY: "127.0.0.1", ...env },
    });
    kill = () => void child.kill("SIGKILL");
    const printed: Done = { code: null, stdout: "", stderr: "" };
    child.stdout.on("data", (text) => {
      printed.stdout += text;
    });
    child.stderr.on("data", (text) => {
      printed.stderr += text;
    });
    child.on("error", reject);
    child.on("close", (code) => resolve({ ...printed, code }));
  });
  return { done, kill: () => kill() };
}

const pinnedTo = (tag: string): string => `${host}/library/writer:${tag}@${DIGESTS[tag]}`;

test("an image goes from dev to stg to prod by its digest, and back", async () => {
  setImage("dev", `${host}/library/writer:1.1.0`);
  const open = await homelab("promote", "writer", "--from", "dev", "--to", "stg", "--yes");
  expect([open.code, open.stderr]).toEqual([1, expect.stringContaining("Pulumi.dev.yaml has changes that no commit has")]);
  git("commit", "-qam", "dev runs 1.1.0");
  const before = fs.readFileSync(settings("stg"), "utf8");

  const unasked = await homelab("promote", "writer", "--from", "dev", "--to", "stg");
  expect([unasked.code, fs.readFileSync(settings("stg"), "utf8")]).toEqual([4, before]);
  const first = await homelab("promote", "writer", "--from", "dev", "--to", "stg", "--yes");
  expect([first.code, first.stderr, imageOf("stg")]).toEqual([0, "", pinnedTo("1.1.0")]);
  // Nothing else in the file has changed.
  expect(fs.readFileSync(settings("stg"), "utf8").replace(pinnedTo("1.1.0"), `${host}/library/writer:1.0.0`)).toBe(before);
  git("commit", "-qam", "stg runs 1.1.0");
  const again = await homelab("promote", "writer", "--from", "dev", "--to", "stg", "--yes");
  expect([again.code, again.stdout]).toEqual([0, expect.stringContaining("stg has it already")]);

  expect((await homelab("promote", "writer", "--from", "stg", "--to", "prod", "--yes")).code).toBe(4);
  expect((await homelab("promote", "writer", "--from", "stg", "--to", "prod", "--approve", "production")).code).toBe(0);
  expect(imageOf("prod")).toBe(pinnedTo("1.1.0"));
  git("commit", "-qam", "prod runs 1.1.0");
  expect((await homelab("promote", "writer", "--to", "prod", "--back", "--approve", "production")).code).toBe(0);
  expect(imageOf("prod")).toBe(pinnedTo("1.0.0"));
  git("commit", "-qam", "prod runs 1.0.0 again");

  const { stdout } = await homelab("apps");
  const rows = stdout.split("\n").filter((line) => line.startsWith("writer "));
  expect(rows.map((row) => row.split(/ {2,}/).map((cell) => cell.replace(/\d{4}-\d\d-\d\d \d\d:\d\d/, "<time>")))).toEqual([
    ["writer", "dev", "1.1.0", "<time>"],
    ["writer", "stg", "1.1.0 (22222222)", "<time>"],
    ["writer", "prod", "1.0.0 (11111111)", "<time>", "waiting: that of stg"],
  ]);
}, 120_000);

// A refusal of each exit code; the others are calls in moves.test.ts.
test.each([
  ["without a stage that it comes from", ["writer", "--to", "stg"], 2, "needs --to, and one of --from, --image and --back"],
  ["of an image that the registry does not have", ["writer", "--to", "dev", "--image", `HOST/library/writer@sha256:${"3".repeat(64)}`, "--yes"], 1, "has no "],
  ["of an image that nobody agreed to", ["writer", "--to", "dev", "--image", `HOST/library/writer@${DIGESTS["1.0.0"]}`], 4, "there is no terminal to ask at"],
])("a promotion is refused %s", async (_, args, code, message) => {
  const files = () => ["dev", "stg", "prod"].map((stack) => fs.readFileSync(settings(stack), "utf8"));
  const before = files();
  const done = await homelab("promote", ...args.map((arg) => arg.replace("HOST", host)));
  expect([done.code, done.stderr, files()]).toEqual([code, expect.stringContaining(message), before]);
});

test("the first stage gets what was built, by its digest, and nothing else in the file changes", async () => {
  const [before, was] = [fs.readFileSync(settings("dev"), "utf8"), imageOf("dev") ?? ""];
  const image = `${host}/library/writer@${DIGESTS["1.0.0"]}`;
  const done = await homelab("promote", "writer", "--to", "dev", "--image", image, "--yes");
  expect([done.code, done.stderr, imageOf("dev")]).toEqual([0, "", image]);
  expect(fs.readFileSync(settings("dev"), "utf8").replace(image, was)).toBe(before);
  const again = await homelab("promote", "writer", "--to", "dev", "--image", image, "--yes");
  expect([again.code, again.stdout]).toEqual([0, expect.stringContaining("dev has it already")]);
  git("commit", "-qam", "dev runs what was built");
});

test("killed when it asks the registry, when the stage's tests run, and at the write: not done or done, and the same command goes on", async () => {
  const before = fs.readFileSync(settings("dev"), "utf8");
  setImage("dev", `${host}/library/writer:1.1.0`);
  setImage("stg", `${host}/library/writer:1.0.0`);
  const site = path.join(checkout, "site", "stacks.ts");
  const text = fs.readFileSync(site, "utf8");
  const note = path.join(checkout, "note");
  const script = `require("fs").writeFileSync(${JSON.stringify(note)}, process.env.HOMELAB_PROMOTION); setTimeout(() => {}, 1500)`;
  fs.writeFileSync(site, text.replace(/^ {2}dev: \{\n/m, `  dev: {\n    verify: [process.execPath, "-e", ${JSON.stringify(script)}],\n`));
  git("commit", "-qam", "dev runs 1.1.0, and has tests");
  const was = fs.readFileSync(settings("stg"), "utf8");
  const image = imageOf("stg");
  const promote = () => running(["promote", "writer", "--from", "dev", "--to", "stg", "--yes"]);

  const asking = promote();
  onAsked = asking.kill;
  expect((await asking.done).code).toBeNull();
  onAsked = () => undefined;
  expect([fs.readFileSync(settings("stg"), "utf8"), fs.existsSync(note)]).toEqual([was, false]);

  const verifying = promote();
  while (!fs.existsSync(note)) await new Promise((resolve) => setTimeout(resolve, 20));
  verifying.kill();
  expect((await verifying.done).code).toBeNull();
  expect(JSON.parse(fs.readFileSync(note, "utf8"))).toEqual({ app: "writer", stack: "dev", image: pinnedTo("1.1.0") });
  expect(fs.readFileSync(settings("stg"), "utf8")).toBe(was);

  // At any moment of the write the file has its old text or its new text, never a part of one.
  const writing = promote();
  const whole = new Set([was, was.replace(image ?? "", pinnedTo("1.1.0"))]);
  let changed = false;
  const watch = fs.watch(checkout, (_, name) => {
    if (name?.includes("Pulumi.stg") !== true) return;
    changed = true;
    writing.kill();
  });
  await writing.done;
  watch.close();
  expect(changed).toBe(true);
  expect([...whole]).toContain(fs.readFileSync(settings("stg"), "utf8"));

  const again = await promote().done;
  expect([again.code, imageOf("stg")]).toEqual([0, pinnedTo("1.1.0")]);
  expect(fs.readdirSync(checkout).filter((name) => name.startsWith("Pulumi.stg.yaml.") && name !== "Pulumi.stg.yaml")).toEqual([]);
  git("commit", "-qam", "stg runs 1.1.0");

  // A commit that names the same image in another way is passed over.
  setImage("stg", `${host}/library/writer@${DIGESTS["1.1.0"]}`);
  git("commit", "-qam", "without the tag");
  expect((await homelab("promote", "writer", "--to", "stg", "--back", "--yes")).code).toBe(0);
  expect(imageOf("stg")).toBe(pinnedTo("1.0.0"));

  fs.writeFileSync(site, text);
  fs.writeFileSync(settings("dev"), before);
  git("commit", "-qam", "as it was");
}, 180_000);

test("two applications that are promoted at once are both written, one after the other", async () => {
  const before = fs.readFileSync(settings("stg"), "utf8");
  const images = (app: string): string | undefined => new RegExp(`^ {4}${app}: (.*)$`, "m").exec(fs.readFileSync(settings("stg"), "utf8"))?.[1];
  const text = fs.readFileSync(settings("dev"), "utf8");
  fs.writeFileSync(settings("dev"), text.replace(/^ {4}(writer|memorizer): .*$/gm, `    $1: ${host}/library/writer:1.1.0`));
  fs.writeFileSync(settings("stg"), before.replace(/^ {4}(writer|memorizer): .*$/gm, `    $1: ${host}/library/writer:1.0.0`));
  git("commit", "-qam", "dev runs 1.1.0 of both, stg 1.0.0");
  const was = fs.readFileSync(settings("stg"), "utf8");
  const done = await Promise.all(["writer", "memorizer"].map((app) => homelab("promote", app, "--from", "dev", "--to", "stg", "--yes")));
  expect(done.map(({ code, stderr }) => [code, stderr])).toEqual([
    [0, ""],
    [0, ""],
  ]);
  expect([images("writer"), images("memorizer")]).toEqual([pinnedTo("1.1.0"), pinnedTo("1.1.0")]);
  expect(fs.readFileSync(settings("stg"), "utf8").replaceAll(pinnedTo("1.1.0"), `${host}/library/writer:1.0.0`)).toBe(was);
  git("commit", "-qam", "stg runs 1.1.0 of both");

  // Another promotion writes: this one waits, and keeps what that one has written.
  setImage("dev", `${host}/library/writer:1.0.0`);
  git("commit", "-qam", "dev runs 1.0.0 of writer again");
  const locks = path.join(checkout, ".homelab");
  expect(takeOwnerFile(path.join(locks, "promotion.lock"))).toBe(true);
  const asked = new Promise<string>((resolve) => {
    const watch = fs.watch(locks, () => {
      watch.close();
      resolve("waits");
    });
  });
  const waiting = homelab("promote", "writer", "--from", "dev", "--to", "stg", "--yes");
  expect(await Promise.race([asked, waiting.then(() => "has written")])).toBe("waits");
  fs.writeFileSync(settings("stg"), fs.readFileSync(settings("stg"), "utf8").replace(/^ {4}memorizer: .*$/m, `    memorizer: ${pinnedTo("1.0.0")}`));
  fs.rmSync(path.join(locks, "promotion.lock"));
  expect((await waiting).code).toBe(0);
  expect([images("writer"), images("memorizer")]).toEqual([pinnedTo("1.0.0"), pinnedTo("1.0.0")]);
  fs.writeFileSync(settings("dev"), text);
  fs.writeFileSync(settings("stg"), before);
  git("commit", "-qam", "as it was");
}, 180_000);

test("where somebody has changed the image since the promotion began, nothing is written", async () => {
  setImage("dev", `${host}/library/writer:1.1.0`);
  setImage("stg", `${host}/library/writer:1.0.0`);
  const site = path.join(checkout, "site", "stacks.ts");
  const text = fs.readFileSync(site, "utf8");
  const file = JSON.stringify(settings("stg"));
  const script = `const fs = require("fs"); fs.writeFileSync(${file}, fs.readFileSync(${file}, "utf8").replace(/writer:1\\.0\\.0/, "writer:1.0.9"))`;
  fs.writeFileSync(site, text.replace(/^ {2}dev: \{\n/m, `  dev: {\n    verify: [process.execPath, "-e", ${JSON.stringify(script)}],\n`));
  git("commit", "-qam", "tests that change the next stage");
  const { code, stderr } = await homelab("promote", "writer", "--from", "dev", "--to", "stg", "--yes");
  expect([code, stderr]).toEqual([1, expect.stringContaining("Pulumi.stg.yaml has another image of writer than when the promotion began")]);
  expect(imageOf("stg")).toBe(`${host}/library/writer:1.0.9`);
  fs.writeFileSync(site, text);
  setImage("stg", `${host}/library/writer:1.0.0`);
  git("commit", "-qam", "as it was");
});

test("as a pull request: the settings and what is rendered of them, on a branch above main; the checkout stays as it is, and again is the same request", async () => {
  setImage("dev", `${host}/library/writer:1.1.0`);
  setImage("stg", `${host}/library/writer:1.0.0`);
  setImage("dev", `${host}/library/writer:1.1.0`, "memorizer");
  expect((await homelab("render", "dev", "stg")).code).toBe(0);
  git("add", "-A");
  git("commit", "-qm", "dev runs 1.1.0, stg 1.0.0");
  const hosts = await startCommentHosts("me/homelab", "42");
  try {
    const head = execFileSync("git", ["-C", checkout, "rev-parse", "HEAD"], { encoding: "utf8" }).trim();
    const manifests = "gitops/stg/writer/manifests.yaml";
    const texts = new Map(["Pulumi.stg.yaml", manifests].map((file) => [file, fs.readFileSync(path.join(checkout, file), "utf8")]));
    hosts.github.git.push("main", head, texts);
    const token = "ghs_abcdefghijklmnopqrstuvwxyz012345";
    hosts.github.accounts.set(token, { id: 1, login: "me", kind: "person", rights: "write" });
    const env = { HOMELAB_REPOSITORY: "me/homelab", GITHUB_API_URL: hosts.url, GITHUB_TOKEN: token };
    const promote = () => running(["promote", "writer", "--from", "dev", "--to", "stg", "--pull-request", "github", "--yes"], env).done;
    const page = `https://github.com/me/homelab/pull/${hosts.github.nextIssue}`;
    const first = await promote();
    expect([first.code, first.stderr, first.stdout]).toEqual([0, "", expect.stringContaining(`${page} is opened\n`)]);
    const branch = "promote/stg/writer-222222222222";
    const then = hosts.github.git.at(branch);
    for (const [file, text] of texts) expect([file, then?.get(file)]).toEqual([file, text.replaceAll(`${host}/library/writer:1.0.0`, pinnedTo("1.1.0"))]);
    expect(then?.size).toBe(texts.size);
    expect(hosts.github.pulls).toMatchObject([
      { title: "deploy(stg): writer 1.1.0 (22222222)", body: expect.stringContaining(`| then | \`${pinnedTo("1.1.0")}\` |`) },
    ]);
    expect(execFileSync("git", ["-C", checkout, "status", "--porcelain"], { encoding: "utf8" })).toBe("");
    const again = await promote();
    expect([again.code, again.stdout]).toEqual([0, expect.stringContaining(`${page} is open already\n`)]);
    expect(hosts.github.pulls).toHaveLength(1);
    // Another application at the same time: a branch of its own, with its change alone.
    await running(["promote", "memorizer", "--from", "dev", "--to", "stg", "--pull-request", "github", "--yes"], env).done;
    expect(hosts.github.pulls).toHaveLength(2);
    const other = hosts.github.git.at("promote/stg/memorizer-222222222222")?.get("Pulumi.stg.yaml");
    expect(other).toBe(texts.get("Pulumi.stg.yaml")?.replace(/^ {4}memorizer: .*$/m, `    memorizer: ${pinnedTo("1.1.0")}`));
    const elsewhere = await running(["promote", "writer", "--from", "dev", "--to", "stg", "--pull-request", "gitea", "--yes"], env).done;
    expect([elsewhere.code, elsewhere.stderr]).toEqual([2, expect.stringContaining("--pull-request takes github or gitlab, not gitea")]);
    const nobody = await running(["promote", "writer", "--from", "dev", "--to", "stg", "--pull-request", "github", "--yes"], { ...env, HOMELAB_REPOSITORY: "" })
      .done;
    expect([nobody.code, nobody.stderr]).toEqual([1, expect.stringContaining("HOMELAB_REPOSITORY is not set")]);
    expect(hosts.unhandled).toEqual([]);
  } finally {
    await hosts.stop();
  }
}, 120_000);

test("an unknown image, and a registry that is down, are refused, and nothing is written", async () => {
  setImage("dev", `${host}/library/writer:9.9.9`);
  git("commit", "-qam", "an image that nobody pushed");
  const before = fs.readFileSync(settings("stg"), "utf8");
  const unknown = await homelab("promote", "writer", "--from", "dev", "--to", "stg", "--yes");
  expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringContaining(`has no ${host}/library/writer:9.9.9`)]);
  setImage("dev", "127.0.0.1:4/library/writer:1.0.0");
  git("commit", "-qam", "a registry that is down");
  const down = await homelab("promote", "writer", "--from", "dev", "--to", "stg", "--yes");
  expect([down.code, down.stderr]).toEqual([1, expect.stringContaining("the registry http://127.0.0.1:4 does not answer")]);
  expect(fs.readFileSync(settings("stg"), "utf8")).toBe(before);
});
