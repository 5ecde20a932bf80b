/** `make ci-local JOB=<name>`: the commands of one job, in order, in a clean copy of what is committed. */
import type { SpawnOptions } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { spawn } from "../common/children";
import { childEnv, readEnv } from "../common/env";
import { HomelabError } from "../common/errors";
import { projectRoot } from "../common/paths";
import { splitCommand } from "./command-words";
import { runMain } from "./failure";
import { git } from "./git";
import { commandsOf, JOBS, jobNamed, preparationOf } from "./jobs";
import { commandFor, type Job } from "./model";
import { WORKFLOWS } from "./workflows";

/** Variables of the shell that a runner has too. A job sets all others itself. */
const KEPT = ["PATH", "TMPDIR", "LANG", "npm_config_registry", "NODE_EXTRA_CA_CERTS", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "HOMELAB_LAB_FLAGS"];

const say = (text: string): void => void process.stdout.write(`ci-local: ${text}\n`);

/** Ends with the child's exit code; 128 and the signal's number where a signal ended it. */
function run(program: string, args: readonly string[], options: SpawnOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: "inherit", ...options });
    child.once("error", reject);
    child.once("close", (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : os.constants.signals[signal])));
  });
}

/** A clone, with the branch main of this checkout as the host would have it, and the packages that are installed here. */
function cleanCopy(clone: string): void {
  const root = projectRoot();
  git(root, "clone", "--quiet", "--no-hardlinks", root, clone);
  if (git(root, "status", "--porcelain") !== "") say("what is not committed here does not run");
  const modules = path.join(root, "node_modules");
  fs.cpSync(modules, path.join(clone, "node_modules"), {
    recursive: true,
    verbatimSymlinks: true,
    filter: (source) => source !== path.join(modules, ".cache"),
  });
  // Newer than the clone's own files, so that make takes it as installed.
  const now = new Date();
  fs.utimesSync(path.join(clone, "node_modules", ".package-lock.json"), now, now);
}

/** Whose commands run. GitLab's are preferred: there a job's folder is its checkout, and no command writes to a file of the host. */
const hostOf = (job: Job): "github" | "gitlab" => (job.only === "github" ? "github" : "gitlab");

/** Where a job that only GitHub has keeps its checkout, below the folder in which it runs. */
function checkoutOf(job: Job): string {
  const step = preparationOf(job).find(({ uses }) => uses === "actions/checkout");
  const below = step?.with?.["path"];
  return hostOf(job) === "github" && typeof below === "string" ? below : ".";
}

function environment(job: Job, folder: string, workspace: string): Record<string, string> {
  const kept = Object.fromEntries(KEPT.map((name) => [name, readEnv(name)]).filter(([, value]) => value !== undefined));
  const own = Object.fromEntries(Object.entries(job.env ?? {}).map(([name, value]) => [name, value.replaceAll("${{ github.workspace }}", workspace)]));
  const home = path.join(folder, "home");
  fs.mkdirSync(home);
  fs.writeFileSync(path.join(home, ".gitconfig"), "[safe]\n\tdirectory = *\n");
  const nothing = Object.fromEntries(Object.keys(childEnv()).map((name) => [name, undefined]));
  return childEnv({ ...nothing, ...kept, HOME: home, CI: "true", ...own });
}

async function runJob(job: Job): Promise<number> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "ci-local-"));
  try {
    const workspace = path.join(folder, "checkout");
    cleanCopy(path.join(workspace, checkoutOf(job)));
    const env = environment(job, folder, workspace);
    for (const { uses, name } of [...preparationOf(job), ...job.steps].filter((step) => "uses" in step))
      say(`left out: ${name ?? uses}, which only the host has`);
    for (const { run: command } of commandsOf(job)) {
      const text = commandFor(command, hostOf(job));
      const [words = []] = splitCommand(text);
      say(`$ ${text}`);
      const code = await run(words[0] ?? "", words.slice(1), { cwd: workspace, env });
      if (code !== 0) {
        say(`${text} ended with ${code}: job ${job.name} failed`);
        return code;
      }
    }
    say(`job ${job.name} passed`);
    return 0;
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** Why a job cannot run here; undefined where it can, and for a name that no job has. */
function reasonAgainst(name: string): string | undefined {
  const job = JOBS.find((one) => one.name === name);
  if (job?.outside)
    return job.runner === "homelab"
      ? "needs the real homelab: its secrets, and the runner that reaches its servers"
      : "asks or changes what the host has, with a token of the host";
  if (job !== undefined) return undefined;
  // GitLab's job `images` does what GitHub's matrix job `image` does.
  const wanted = name === "images" ? "image" : name;
  const [found] = WORKFLOWS.flatMap(({ file, jobs }) => jobs.map((one) => ({ file, one }))).filter(
    ({ one }) => ("job" in one ? one.job.name : one.name) === wanted,
  );
  if (found === undefined) return undefined;
  const { file, one } = found;
  const uses = "job" in one ? one.job.steps.flatMap((step) => ("uses" in step ? [step.uses] : [])) : [one.calls];
  return `of ${file} is made of what only the host has: ${uses.length === 0 ? "its own tokens" : [...new Set(uses)].join(", ")}`;
}

async function main(name: string | undefined): Promise<number> {
  const names = JOBS.filter(({ outside }) => outside !== true).map((job) => job.name);
  if (name === undefined || name === "") {
    process.stderr.write(`usage: make ci-local JOB=<name>, one of ${names.join(", ")}\n`);
    return 2;
  }
  const reason = reasonAgainst(name);
  if (reason !== undefined) throw new HomelabError("E_JOB_OUTSIDE", `the job ${name} ${reason}`, { subject: name, hint: `run one of ${names.join(", ")}` });
  return runJob(jobNamed(name));
}

runMain(() => main(process.argv[2]));
