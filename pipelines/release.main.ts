/**
 * `npm run release`: prints the version that the commits since the last tag call for. `-- --write` makes the changelog, the version in package.json, one
 * commit and its tag; `-- --push` pushes both as well, together or not at all. An application's repository gets its version by
 * `--folder FOLDER --tag-only`: a tag, and no commit.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { parseArgs } from "node:util";
import * as semver from "semver";
import { z } from "zod";
import { HomelabError } from "../common/errors";
import { runMain } from "./failure";
import { commitsOf, credentials, git } from "./git";
import { type Release, releaseFrom, withRelease } from "./release";

const BRANCH = "main";
/** The author of a release's commit and tag, whatever Git is configured with. */
const AUTHOR = ["-c", "user.name=homelab release", "-c", "user.email=release@homelab.invalid"];

/** The highest version that a tag of this history has. */
function lastVersion(folder: string): string | undefined {
  const tags = git(folder, "tag", "--list", "v*", "--merged", "HEAD").split("\n");
  return tags
    .filter((tag) => semver.valid(tag) !== null && semver.prerelease(tag) === null)
    .map((tag) => tag.slice(1))
    .sort(semver.rcompare)[0];
}

/** Replaces the version alone, so that nothing else of the file changes its form. */
function setVersion(file: string, version: string): void {
  const text = fs.readFileSync(file, "utf8");
  const schema = z.object({ version: z.string() });
  const from = schema.parse(JSON.parse(text)).version;
  // The lockfile has it twice: of the package, and of its root.
  const changed = text.replaceAll(new RegExp(`("name": "homelab",\\n\\s*"version": )"${from.replaceAll(".", "\\.")}"`, "g"), `$1"${version}"`);
  if (schema.parse(JSON.parse(changed)).version !== version) throw new HomelabError("E_VERSION", `${file} has no version to set`, { subject: file });
  fs.writeFileSync(file, changed);
}

function commitRelease(folder: string, release: Release): void {
  const changelog = path.join(folder, "CHANGELOG.md");
  fs.writeFileSync(changelog, withRelease(fs.existsSync(changelog) ? fs.readFileSync(changelog, "utf8") : "", release));
  const files = ["package.json", "package-lock.json"].filter((file) => fs.existsSync(path.join(folder, file)));
  for (const file of files) setVersion(path.join(folder, file), release.version);
  git(folder, "add", "CHANGELOG.md", ...files);
  // GitLab would run a pipeline for this commit, so it is told to skip it. GitHub runs none for a push by a job's token.
  git(folder, ...AUTHOR, "commit", "--quiet", "-m", `chore(release): ${release.version} [skip ci]`);
}

const tag = (folder: string, { version, notes }: Release): string =>
  git(folder, ...AUTHOR, "tag", "--annotate", `v${version}`, "-m", notes, "--cleanup=verbatim");

function push(folder: string, { version }: Release, tagOnly: boolean): void {
  const branch = tagOnly ? [] : [`HEAD:refs/heads/${BRANCH}`];
  git(folder, ...credentials(), "push", "--quiet", "--atomic", "origin", ...branch, `refs/tags/v${version}`);
}

/** @throws HomelabError where a release from this checkout would not have exactly what main has */
function check(folder: string): void {
  if (git(folder, "status", "--porcelain", "--untracked-files=no") !== "")
    throw new HomelabError("E_DIRTY", "files that Git knows are changed", { hint: "commit them, or put them aside: a release is what is committed" });
}

/** The version of a first release, where package.json has none. */
const FIRST = "0.1.0";

function firstVersion(folder: string): string {
  const file = path.join(folder, "package.json");
  return fs.existsSync(file) ? z.object({ version: z.string().default(FIRST) }).parse(JSON.parse(fs.readFileSync(file, "utf8"))).version : FIRST;
}

const OPTIONS = {
  write: { type: "boolean", default: false },
  push: { type: "boolean", default: false },
  "tag-only": { type: "boolean", default: false },
  folder: { type: "string", default: "." },
  outputs: { type: "string" },
} as const;
const USAGE = "usage: npm run release [-- --write|--push] [--tag-only] [--folder FOLDER] [--outputs FILE]\n";

function optionsOf(words: readonly string[]) {
  try {
    const { values } = parseArgs({ args: [...words], options: OPTIONS });
    return values.write && values.push ? undefined : values;
  } catch {
    // The caller prints the usage.
    return undefined;
  }
}

/** The second tag of an image, beside that of its commit: the release's version, or the commit again where there is no release. */
function writeOutputs(file: string | undefined, folder: string, release: Release | undefined): void {
  if (file !== undefined) fs.appendFileSync(file, `IMAGE_TAG=${release?.version ?? git(folder, "rev-parse", "HEAD").trim()}\n`);
}

runMain(() => {
  const options = optionsOf(process.argv.slice(2));
  if (options === undefined) {
    process.stderr.write(USAGE);
    return 2;
  }
  const folder = path.resolve(options.folder);
  const current = lastVersion(folder);
  const commits = commitsOf(folder, current === undefined ? "HEAD" : `v${current}..HEAD`);
  const release = releaseFrom(commits, current, firstVersion(folder), new Date().toISOString().slice(0, 10));
  for (const subject of release?.unknown ?? []) process.stderr.write(`warning: not conventional, left out: ${JSON.stringify(subject)}\n`);
  if (release === undefined) {
    process.stdout.write(`nothing to release since ${current === undefined ? "the beginning" : `v${current}`}\n`);
    writeOutputs(options.outputs, folder, undefined);
    return 0;
  }
  process.stdout.write(`${release.notes}\n`);
  if (!options.write && !options.push) return 0;
  check(folder);
  if (!options["tag-only"]) commitRelease(folder, release);
  tag(folder, release);
  if (options.push) push(folder, release, options["tag-only"]);
  writeOutputs(options.outputs, folder, release);
  process.stdout.write(`v${release.version} is ${options.push ? "pushed" : "tagged here"}\n`);
  return 0;
});
