/** `homelab images build`: hands a build of the list to Docker's buildx, or to buildah. */
import { execFileSync } from "node:child_process";
import { HomelabError } from "../../common/errors";
import { findOnPath } from "../../common/executables";
import { projectRoot } from "../../common/paths";
import { IMAGE_BUILDERS } from "../cli/flags";
import { runOwnCommand } from "../cli/own-command";
import type { Session } from "../cli/session";
import { checkoutCommit } from "../target/checkout";
import { type Build, buildOf, type ImageList, type Labels } from "./image-list";

export type Builder = (typeof IMAGE_BUILDERS)[number];

export interface BuildOptions {
  /** With registry and tag. */
  readonly tag: string;
  readonly push: boolean;
  /** Left out: whichever is on PATH, Docker first. */
  readonly builder: Builder | undefined;
  /** A file that gets the digest of what was pushed, by Docker: its metadata as JSON; by buildah: the digest. */
  readonly digestFile?: string | undefined;
}

/** Docker adds a list of parts (SBOM) and a provenance only where it pushes: a local image can hold neither. */
export function buildCommands(build: Build, { tag, push, digestFile }: Omit<BuildOptions, "builder">, builder: Builder): (readonly string[])[] {
  const args = Object.entries(build.arguments).flatMap(([key, value]) => ["--build-arg", `${key}=${value}`]);
  const files = ["--file", build.dockerfile, "--tag", tag];
  if (builder === "docker") {
    const where = push ? ["--push", "--sbom=true", "--provenance=mode=max"] : ["--load"];
    const said = digestFile === undefined ? [] : ["--metadata-file", digestFile];
    return [["docker", "buildx", "build", ...files, ...args, ...where, ...said, build.context]];
  }
  // Docker's format holds a HEALTHCHECK, and OCI's does not.
  const made = ["buildah", "build", "--format", "docker", ...files, ...args, build.context];
  return push ? [made, ["buildah", "push", ...(digestFile === undefined ? [] : ["--digestfile", digestFile]), tag, `docker://${tag}`]] : [made];
}

function builderHere(): Builder {
  const found = IMAGE_BUILDERS.find((one) => findOnPath(one) !== undefined);
  if (found === undefined) throw new HomelabError("E_IMAGES", "neither docker nor buildah is on PATH", { hint: "install one of them; images are built by it" });
  return found;
}

/** Where the sources are, without a login that the address may hold. */
function sourceOf(): string {
  try {
    const remote = execFileSync("git", ["config", "--get", "remote.origin.url"], { cwd: projectRoot(), encoding: "utf8" }).trim();
    return remote.replace(/^(https?:\/\/)[^/@]*@/, "$1");
  } catch {
    // A checkout without a remote, or an archive.
    return "";
  }
}

/** An image's labels: the commit that it was built from, marked where the checkout has changes that are not committed. */
export async function labelsOf(version: string | undefined): Promise<Labels> {
  const commit = await checkoutCommit();
  const revision = commit === undefined ? "unknown" : `${commit.hash}${commit.clean ? "" : "-changed"}`;
  return { source: sourceOf(), revision, version: version ?? revision };
}

/** @throws HomelabError E_IMAGE_UNPINNED for a base or a tool without a digest, unless that was agreed to and nothing is pushed */
export function checkPinned({ name, unpinned }: Build, { push, agreed }: { push: boolean; agreed: boolean }): void {
  if (unpinned.length === 0 || (agreed && !push)) return;
  throw new HomelabError("E_IMAGE_UNPINNED", `${name} would be built from bases or tools that are not pinned:\n${unpinned.join("\n")}`, {
    subject: name,
    hint: push ? "run `homelab images pin` on a machine with a network, and commit what it wrote" : "run `homelab images pin`, or add --unpinned to try it out",
  });
}

/** @throws HomelabError E_IMAGES where the builder fails */
export async function buildImage(list: ImageList, name: string, labels: Labels, agreed: boolean, options: BuildOptions, session: Session): Promise<void> {
  const build = buildOf(list, name, labels);
  checkPinned(build, { push: options.push, agreed });
  for (const command of buildCommands(build, options, options.builder ?? builderHere())) {
    const failed = await runOwnCommand(command, {}, session);
    if (failed !== undefined)
      throw new HomelabError("E_IMAGES", `${command.slice(0, 3).join(" ")} of ${name} ${failed}`, { subject: name, hint: "its output is above" });
  }
}
