/**
 * What belongs to one homelab is in site/, in its secrets and settings, and nowhere else in the product. The tests' homelab has the names
 * of the homelab that the product was first made for, so these names are searched for.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { VM_DUTIES } from "../../stacks/define/stacks";
import { loadHomelab } from "../support/homelab";

const ROOT = path.join(__dirname, "..", "..");
const PRODUCT = [
  "common",
  "ansible-replacements",
  "secrets",
  "components",
  "stacks",
  "engine",
  "providers",
  "lab",
  "scaffold",
  "orchestrator",
  "pipelines",
  "policy",
  "build",
  "bench",
];
/** Files that are not searched: tests and their data, and the secrets. */
const NOT_PRODUCT = /\.test\.ts$|\/(fixtures|cases)\/|^secrets\/[^/]+\/.*\.yaml$|\.agekey$|\.md$/;

const { site, proxmox, vms, stacks } = loadHomelab();

/** The common beginning of the network's addresses: `192.168.1` for 192.168.1.0/24. */
const network = site.subnet.split(".").slice(0, 3).join(".");
const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
/** Names of nodes and VMs. A VM with the name of its duty, such as `haproxy`, is left out: it cannot be told from the program of that name. */
const names = [...proxmox.nodes.map(({ name }) => name), ...vms.keys()].filter((name) => !(VM_DUTIES as readonly string[]).includes(name));
const trace = new RegExp(`${escaped(site.domain)}|\\b${escaped(network)}\\.\\d|\\b(${names.map(escaped).join("|")})\\b`);

/**
 * Names of stacks. Most are words that mean other things too, so they are searched for where they stand for a stack: as a text of their
 * own, in a command, behind "stack", or as what something is called after. Those that are no ordinary words are searched for everywhere.
 */
const stackNames = stacks.map(({ name }) => name);
const ORDINARY = ["tools", "home", "dev", "prod"];
const any = (some: readonly string[]): string => `(${some.map(escaped).join("|")})`;
const ofStack = new RegExp(
  [
    `["'\`]${any(stackNames)}["'\`]`,
    `\\bhomelab [a-z]+( [a-z]+)? ${any(stackNames)}\\b`,
    `\\bstacks?:? [\`"']?${any(stackNames)}\\b(?! of )`,
    `\\bhomelab-${any(stackNames)}\\b`,
    `\\b${any(stackNames.filter((name) => !ORDINARY.includes(name)))}\\b`,
  ].join("|"),
);

/** Lines that show what a name can be. */
const EXAMPLE = /\bexamples?\b|such as|Takes `\{"stack":"dev"/;
/** Where the words are names of something else, or of a stack for a reason. */
const OTHERWISE: readonly { file: RegExp; why: string }[] = [
  { file: /^bench\//, why: "programs of its own, and measurements of this homelab" },
  { file: /^build\/real-parts\/mains\/automation\.go$/, why: "a stack of its own program" },
  { file: /^build\/test-another-site\.cjs$/, why: "the stacks of the site that it makes" },
  { file: /^scaffold\/answers\.ts$/, why: "the default of `homelab init`, and an example" },
  { file: /^orchestrator\/commands\/(init|new|promote|charts|outputs|render|up|upgrades|dev)\.ts$/, why: "examples of command lines, and init's default" },
  {
    file: /^pipelines\/(application|gitlab-templates|gitlab|delivery-jobs)\.ts$/,
    why: "stages of an application's pipeline: inputs of a workflow that other repositories call",
  },
  { file: /^components\/platform\/vault\/vault-names\.ts$/, why: "the policy's name in a Vault that is set up; another one would be another input" },
  { file: /^stacks\/plan\/platform-page\.ts$/, why: "the example homelab of the page" },
  { file: /^orchestrator\/(images|report\/page)\//, why: "tools: a key of the list of images, and a class of the page" },
  { file: /^(pipelines\/ci-local\.main|lab\/hosts\/commands\/identity|components\/base\/component)\.ts$/, why: "home: a folder, a flag, a variable" },
  { file: /^build\/real-parts\.cjs$/, why: "home: a variable" },
  { file: /^components\/platform\/option-types\.ts$/, why: "dev: a folder of the system" },
];

function filesOf(folder: string): string[] {
  return fs.readdirSync(path.join(ROOT, folder), { withFileTypes: true, recursive: true }).flatMap((entry) => {
    const file = path.relative(ROOT, path.join(entry.parentPath, entry.name)).split(path.sep).join("/");
    return entry.isFile() && !NOT_PRODUCT.test(file) ? [file] : [];
  });
}

const linesOf = (folder: string, matches: (line: string, file: string) => boolean): string[] =>
  filesOf(folder).flatMap((file) =>
    fs
      .readFileSync(path.join(ROOT, file), "utf8")
      .split("\n")
      .flatMap((line, index) => (matches(line, file) ? [`${file}:${index + 1}: ${line.trim().slice(0, 120)}`] : [])),
  );

test.each(PRODUCT)("%s/ names no domain, address, node or VM of the homelab", (folder) => {
  expect(linesOf(folder, (line) => trace.test(line))).toEqual([]);
});

test.each(PRODUCT)("%s/ names no stack of the homelab, except in examples", (folder) => {
  const searched = (file: string) => !OTHERWISE.some((one) => one.file.test(file));
  expect(linesOf(folder, (line, file) => searched(file) && ofStack.test(line) && !EXAMPLE.test(line))).toEqual([]);
});

test.each(OTHERWISE.map(({ file, why }) => [String(file), file, why] as const))("the exception %s is still needed", (_, file) => {
  expect(PRODUCT.flatMap((folder) => linesOf(folder, (line, at) => file.test(at) && ofStack.test(line)))).not.toEqual([]);
});

test("the pattern finds each kind", () => {
  for (const text of [`https://a.${site.domain}`, `${network}.5`, proxmox.nodes[0]?.name ?? "", names.at(-1) ?? ""]) expect(text).toMatch(trace);
});

test("the pattern finds a stack's name where it stands for the stack", () => {
  for (const text of [
    ...['const stack = args.text("stack") ?? "dev";', 'owner: "MinIO (stack tools; its Deployment restarts)"', "hint: `homelab up tools` does it"],
    ...["the stack `home` makes it", "MANAGER = homelab-tools", "stacks: prod and dev", "that of sandboxy"],
  ])
    expect(text).toMatch(ofStack);
  for (const text of ["tools of the shell", "the home of a user", "homelab dev > compose.yaml", "a dev server"]) expect(text).not.toMatch(ofStack);
});
