/** Every command of every pipeline exists in this checkout: as a target of make, a script of npm, a command of homelab with its flags. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { parse } from "yaml";
import { splitCommand, type Words } from "../../pipelines/command-words";
import { renderAll } from "../../pipelines/files";
import { upPipeline } from "../../pipelines/gitlab-up";

const ROOT = path.join(__dirname, "..", "..");
const scripts = Object.keys((JSON.parse(fs.readFileSync(path.join(ROOT, "package.json"), "utf8")) as { scripts: object }).scripts);
const targets = new Set(
  [...fs.readFileSync(path.join(ROOT, "Makefile"), "utf8").matchAll(/^([\w./-]+(?: [\w./-]+)*):/gm)].flatMap(([, names = ""]) => names.split(" ")),
);

/** Programs in templates and reusable workflows for other repositories. An image or an action provides them; our own jobs do not call them. */
const TOOLS: Readonly<Record<string, RegExp>> = {
  go: /^go (mod verify|test -race \.\/\.\.\.)$/,
  "golangci-lint": /^golangci-lint run$/,
  trivy: /^trivy (config|image) /,
  trufflehog: /^trufflehog git /,
  docker: /^docker (login|buildx) /,
  printenv: /^printenv \w+$/,
  cypress: /^cypress run /,
  git: /^git clone --quiet --depth 1 /,
  tee: /^tee image\.env$/,
  cd: /^cd \$\w+$/,
};

const helpOf = new Map<string, string>();
function homelabHelp(command: string): string {
  const known = helpOf.get(command);
  if (known !== undefined) return known;
  const { stdout, status } = spawnSync(process.execPath, [path.join(ROOT, "orchestrator/bin/homelab"), command, "--help"], { encoding: "utf8" });
  const help = status === 0 ? stdout : "";
  helpOf.set(command, help);
  return help;
}

/** @returns what does not exist, or undefined */
function missing(words: Words): string | undefined {
  const [program = "", ...rest] = words;
  if (program === "make") {
    const goal = rest.filter((word, i) => !word.startsWith("-") && !word.includes("=") && rest[i - 1] !== "-C");
    return goal.length > 0 && goal.every((name) => targets.has(name)) ? undefined : `make has no target ${goal.join(" ")}`;
  }
  if (program === "npm") {
    const own = rest[0] === "--prefix" ? rest.slice(2) : rest;
    if (own[0] === "ci" && own.length === 1) return undefined;
    return own[0] === "run" && scripts.includes(own[1] ?? "") ? undefined : `npm has no script ${own.join(" ")}`;
  }
  if (program === "npx") {
    const [flag, name, command = "", ...args] = rest;
    if (flag !== "--no-install" || name !== "homelab") return `npx may run homelab alone, as it is installed: ${words.join(" ")}`;
    const help = homelabHelp(command);
    if (help === "") return `homelab has no command ${command}`;
    const unknown = args.filter((arg) => arg.startsWith("--") && !new RegExp(`${arg}(?![\\w-])`).test(help));
    return unknown.length === 0 ? undefined : `homelab ${command} has no ${unknown.join(", ")}`;
  }
  return TOOLS[program]?.test(words.join(" ")) === true ? undefined : `${words.join(" ")} is no command of this checkout`;
}

interface Job {
  steps?: { run?: string }[];
  script?: string[];
  before_script?: string[];
}

function commandsIn(text: string): string[] {
  const file = parse(text) as { jobs?: Record<string, Job> } & Record<string, Job>;
  const jobs = Object.values(file.jobs ?? file).filter((job) => typeof job === "object" && job !== null);
  return jobs.flatMap(({ steps, script, before_script: before }) => [
    ...(Array.isArray(steps) ? steps.flatMap(({ run }) => (run === undefined ? [] : [run])) : []),
    ...(before ?? []),
    ...(script ?? []),
  ]);
}

const FILES = { ...renderAll(), "the pipeline of up": upPipeline({ changed: true, pipeline: "1" }) };

test.each(Object.entries(FILES))("every command of %s is there", (_, text) => {
  const commands = commandsIn(text);
  expect(commands.flatMap((command) => splitCommand(command).map(missing)).filter((problem) => problem !== undefined)).toEqual([]);
});

test("the pipelines have commands, and one that is not there is named", () => {
  expect(Object.values(renderAll()).flatMap(commandsIn).length).toBeGreaterThan(25);
  for (const [command, said] of [
    ["make apply", "make has no target apply"],
    ["make -C base", "make has no target "],
    ["npm run apply", "npm has no script run apply"],
    ["npm install left-pad", "npm has no script install left-pad"],
    ["npx homelab up", "npx may run homelab alone, as it is installed: npx homelab up"],
    ["npx --no-install homelab deploy", "homelab has no command deploy"],
    ["npx --no-install homelab refresh --plan x", "homelab refresh has no --plan"],
    ["npx --no-install homelab up --yess", "homelab up has no --yess"],
    ["curl http://x", "curl http://x is no command of this checkout"],
  ] as const)
    expect(splitCommand(command).map(missing)).toEqual([said]);
});
