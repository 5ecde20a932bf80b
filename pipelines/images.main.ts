/**
 * `npm run images`: which of the homelab's images a change concerns, as the host's outputs `images` (JSON, for a matrix) and `version`, or for
 * GitLab as a pipeline (`--pipeline FILE`). The base of the comparison is the commit IMAGES_BASE, or the one that GitLab names for the change or
 * push. Without a base, and where the list itself differs, it is all images. With `--pinned`, and on GitLab's main, a base image without a digest
 * is refused.
 */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { z } from "zod";
import { readEnv } from "../common/env";
import { HomelabError } from "../common/errors";
import { runMain } from "./failure";
import { git } from "./git";
import { imagesPipeline } from "./gitlab-images";

const LIST = "images/images.yaml";
/** What GitHub gives as the commit before a new branch. */
const NO_COMMIT = /^0*$/;

const listSchema = z.object({
  version: z.literal(1),
  images: z.array(
    z.object({
      name: z.string(),
      /** From the checkout's folder. */
      context: z.string(),
      dockerfile: z.string(),
      arguments: z.record(z.string(), z.string()),
      /** Bases and tools without a digest or checksum. */
      unpinned: z.array(z.string()),
    }),
  ),
});
type Image = z.infer<typeof listSchema>["images"][number];

/** All images of the list, as `homelab images build` builds them. @param version for their labels */
function listedImages(folder: string, version: string): Image[] {
  const words = [path.join(folder, "orchestrator/bin/homelab"), "images", "list", "--json", "--version", version];
  const { status, stdout, error } = spawnSync(process.execPath, words, { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
  if (error !== undefined || status !== 0) throw new HomelabError("E_IMAGES", "homelab images list could not be run", { cause: error });
  return listSchema.parse(JSON.parse(stdout)).images;
}

function hasCommit(folder: string, commit: string): boolean {
  try {
    git(folder, "cat-file", "-e", `${commit}^{commit}`);
    return true;
  } catch {
    return false;
  }
}

/** Paths that differ from the base; undefined: every path counts as different. */
function changedPaths(folder: string, base: string): string[] | undefined {
  if (NO_COMMIT.test(base)) return undefined;
  if (!/^[0-9a-f]{40}$/.test(base))
    throw new HomelabError("E_IMAGES", `IMAGES_BASE is no commit: ${base}`, { hint: "give its whole hash, or none for all images" });
  if (!hasCommit(folder, base)) {
    process.stderr.write(`note: this clone does not have ${base}: all images are built\n`);
    return undefined;
  }
  // Both paths of a moved file count: it changes the images at both.
  const paths = git(folder, "diff", "--no-renames", "--name-only", base, "HEAD").split("\n");
  return paths.includes(LIST) ? undefined : paths;
}

/** The last release, and how many commits came after it: unique for each commit, and readable as a version. */
function versionOf(folder: string): string {
  const text = git(folder, "describe", "--tags", "--match", "v*", "--always").trim();
  return text.replace(/^v(?=\d)/, "");
}

/** As the action takes them: one a line, quoted, since one may have several lines. */
const argumentLines = (image: Image): string =>
  Object.entries(image.arguments)
    .map(([name, value]) => `"${`${name}=${value}`.replaceAll('"', '""')}"`)
    .join("\n");

const entryOf = (image: Image) => ({
  name: image.name,
  context: image.context,
  dockerfile: path.posix.relative(image.context, image.dockerfile),
  arguments: argumentLines(image),
});

const baseOf = (): string => readEnv("IMAGES_BASE") ?? readEnv("CI_MERGE_REQUEST_DIFF_BASE_SHA") ?? readEnv("CI_COMMIT_BEFORE_SHA") ?? "";

/** Whether this is GitLab's pipeline of main, which pushes images. A merge request's pipeline has no branch. */
function isGitlabMain(): boolean {
  const branch = readEnv("CI_COMMIT_BRANCH");
  return branch !== undefined && branch === readEnv("CI_DEFAULT_BRANCH");
}

interface Words {
  readonly pinned: boolean;
  readonly pipeline: string | undefined;
}

function wordsOf(words: readonly string[]): Words | undefined {
  const [first, file, ...more] = words;
  if (first === undefined) return { pinned: false, pipeline: undefined };
  if (first === "--pinned" && file === undefined) return { pinned: true, pipeline: undefined };
  return first === "--pipeline" && file !== undefined && more.length === 0 ? { pinned: isGitlabMain(), pipeline: file } : undefined;
}

runMain(() => {
  const words = wordsOf(process.argv.slice(2));
  if (words === undefined) {
    process.stderr.write("usage: npm run images [-- --pinned | --pipeline FILE], with IMAGES_BASE\n");
    return 2;
  }
  const folder = process.cwd();
  const version = versionOf(folder);
  const paths = changedPaths(folder, baseOf());
  const images = listedImages(folder, version).filter(({ context }) => paths === undefined || paths.some((one) => one.startsWith(`${context}/`)));
  const loose = words.pinned ? images.filter(({ unpinned }) => unpinned.length > 0) : [];
  if (loose.length > 0)
    throw new HomelabError("E_IMAGE_UNPINNED", loose.map(({ name, unpinned }) => `${name} is built from ${unpinned.join(", ")}, without a digest`).join("\n"), {
      hint: "run `homelab images pin` on a machine with a network, and commit what it wrote",
    });
  if (words.pipeline !== undefined) {
    const text = imagesPipeline(images, { push: words.pinned, version });
    fs.mkdirSync(path.dirname(words.pipeline), { recursive: true });
    fs.writeFileSync(words.pipeline, text);
  }
  process.stdout.write(images.length === 0 ? "no image is concerned\n" : `${images.map(({ name }) => name).join(", ")}: version ${version}\n`);
  const outputs = readEnv("GITHUB_OUTPUT");
  if (outputs !== undefined) fs.appendFileSync(outputs, `images=${JSON.stringify(images.map(entryOf))}\nversion=${version}\n`);
  return 0;
});
