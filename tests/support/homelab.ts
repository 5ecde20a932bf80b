/**
 * The homelab of the tests: tests/homelab, seven stacks on three nodes, with its settings and lab-only secrets. The names and addresses in
 * tests are those of this homelab, whatever site/ contains.
 */
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { type Estate, loadEstate } from "../../stacks/load/estate";
import type { SiteFiles } from "../../stacks/load/site-files";
import { proxmox } from "../homelab/site/nodes";
import { site } from "../homelab/site/site";
import { stacks } from "../homelab/site/stacks";

const ROOT = path.join(__dirname, "..", "..");

/** Its folder, which has the layout of a checkout. */
export const HOMELAB = path.join(__dirname, "..", "homelab");

export const HOMELAB_FILES: SiteFiles = { site, proxmox, stacks };

/** Loads it again. */
export const loadHomelab = (): Estate => loadEstate(HOMELAB_FILES, HOMELAB);

export const HOMELAB_SECRETS = path.join(HOMELAB, "secrets");

/** From now on, secrets are read from the tests' homelab and not from this checkout. */
export function useHomelabSecrets(): void {
  process.env["HOMELAB_SECRETS_DIR"] = HOMELAB_SECRETS;
}

/** Copies this checkout without files that only its tests and its own runs need. */
export function copyProgram(folder: string): void {
  const left = new Set([".git", ".lab", ".homelab", "node_modules", "tests", "bench"].map((name) => path.join(ROOT, name)));
  fs.cpSync(ROOT, folder, { recursive: true, preserveTimestamps: true, filter: (source) => !left.has(source) });
  fs.symlinkSync(path.join(ROOT, "node_modules"), path.join(folder, "node_modules"));
}

/** Removes the homelab from a checkout: what `homelab init` writes, and its tests. */
export function removeHomelab(checkout: string): void {
  const settings = fs.readdirSync(checkout).filter((name) => /^Pulumi\..+\.yaml$/.test(name));
  for (const name of ["site", "bin/site", "secrets/common", ".sops.yaml", ...settings]) fs.rmSync(path.join(checkout, name), { recursive: true, force: true });
}

/** The text of a file of tests/homelab/site/, with imports as they are in site/, two folders up. */
export const asInSite = (text: string): string => text.replace(/from "\.\.\/\.\.\/((?:\.\.\/)+(?:stacks|components)\/)/g, 'from "$1');

/** A smaller homelab, which takes less time to build. */
export interface Part {
  /** The stacks to keep. The stacks that they need must be among them. */
  stacks: readonly string[];
  /** Modules that are removed from them. */
  without?: readonly string[];
}

/** Modules of the tests' homelab whose kinds of resources other modules have as well. */
export const LEFT_OUT = ["valkey", "github-runners", "gitlab-runner"] as const;

const VMS_OF = new Map(Object.entries(stacks).map(([name, { vms }]) => [name, Object.keys(vms)]));

/** Removes everything from a checkout with the tests' homelab, except a part: definitions, settings and VMs of some stacks. */
function keepPart(checkout: string, { stacks: kept, without = [] }: Part): void {
  const file = path.join(checkout, "site", "stacks.ts");
  const text = fs.readFileSync(file, "utf8");
  const smaller = text.replace(
    /^import \{ defineStacks \} from (.*);$/m,
    `import { defineStacks as define } from $1;
const defineStacks: typeof define = (all) => define(Object.fromEntries(Object.entries(all).filter(([name]) => ${JSON.stringify(kept)}.includes(name)).map(([name, stack]) =>
  [name, { ...stack, platform: Object.fromEntries(Object.entries(stack.platform).filter(([module]) => !${JSON.stringify(without)}.includes(module))) }])) as never) as never;`,
  );
  if (smaller === text) throw new Error(`${file} defines no stacks as it did`);
  fs.writeFileSync(file, smaller);
  const gone = [...VMS_OF].filter(([name]) => !kept.includes(name));
  const ofTools = path.join(checkout, "Pulumi.tools.yaml");
  // HAProxy has a port for each cluster.
  fs.writeFileSync(ofTools, fs.readFileSync(ofTools, "utf8").replace(new RegExp(`^ +(${gone.map(([name]) => name).join("|")}): \\d+\\n`, "gm"), ""));
  for (const [name, vms] of gone) {
    fs.rmSync(path.join(checkout, `Pulumi.${name}.yaml`));
    for (const vm of vms) fs.rmSync(path.join(checkout, "site", "vms", `${vm}.yaml`));
  }
}

/** Replaces the homelab of a checkout by the tests' homelab, and compiles it. @param part default: all of it */
export function placeHomelab(checkout: string, part?: Part): void {
  removeHomelab(checkout);
  fs.cpSync(HOMELAB, checkout, { recursive: true, preserveTimestamps: true });
  const sources = fs.readdirSync(path.join(checkout, "site"), { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));
  for (const name of sources) {
    const file = path.join(checkout, "site", name);
    fs.writeFileSync(file, asInSite(fs.readFileSync(file, "utf8")));
  }
  if (part !== undefined) keepPart(checkout, part);
  execFileSync(process.execPath, [path.join(checkout, "build", "build.cjs")], { cwd: checkout, stdio: "pipe" });
}
