/** Copies of stacks' states in a folder: written by the engine's own export, checked, and read back by its import. Secrets stay encrypted. */
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { z } from "zod";
import { HomelabError, systemErrorCode } from "../../common/errors";
import { syncFolder, writeFileAtomic } from "../../common/files";
import { stackNames } from "../target/engine";
import { engineAnswer } from "../target/engine-answer";
import type { EngineCommand } from "./pending-creates";

const MANIFEST = "manifest.json";

const manifestSchema = z.object({
  version: z.literal(1),
  /** The homelab's domain, and whether it is the lab. */
  site: z.string(),
  kind: z.enum(["real", "lab"]),
  takenAt: z.iso.datetime(),
  /** By stack; the file is `<stack>.json`. */
  stacks: z.record(z.string(), z.object({ resources: z.number(), pending: z.number(), sha256: z.string() })),
});
export type Manifest = z.infer<typeof manifestSchema>;

const exportSchema = z.looseObject({
  deployment: z.looseObject({ resources: z.array(z.unknown()).nullish(), pending_operations: z.array(z.unknown()).nullish() }),
});

const digest = (text: string): string => createHash("sha256").update(text).digest("hex");

export type CopyFacts = Pick<Manifest, "site" | "kind" | "takenAt">;

/** @returns the manifest, which is written last: a folder without one is an incomplete copy */
export async function copyStates(run: EngineCommand, stacks: readonly string[], dir: string, facts: CopyFacts): Promise<Manifest> {
  const exports = new Map<string, string>();
  makeEmpty(dir);
  for (const stack of stacks) exports.set(stack, await run(["stack", "export", "--stack", stack], {}));
  return writeCopy(dir, exports, facts);
}

function makeEmpty(dir: string): void {
  fs.mkdirSync(dir, { recursive: true, mode: 0o700 });
  if (fs.readdirSync(dir).length > 0)
    throw new HomelabError("E_STATE_COPY", `${dir} is not empty: a copy is written into a folder of its own`, {
      subject: dir,
      hint: "name another folder with --to",
    });
}

/** @param exports by stack, as the engine's `stack export` gives them */
export function writeCopy(dir: string, exports: ReadonlyMap<string, string>, facts: CopyFacts): Manifest {
  makeEmpty(dir);
  const manifest: Manifest = { version: 1, ...facts, stacks: {} };
  for (const [stack, text] of exports) {
    const { resources, pending_operations: pending } = engineAnswer(exportSchema, text, `stack export --stack ${stack}`).deployment;
    writeFileAtomic(path.join(dir, `${stack}.json`), text, 0o600);
    manifest.stacks[stack] = { resources: resources?.length ?? 0, pending: pending?.length ?? 0, sha256: digest(text) };
  }
  writeFileAtomic(path.join(dir, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`, 0o600);
  syncFolder(dir);
  return manifest;
}

export const damagedCopy = (dir: string, what: string, cause?: unknown): HomelabError =>
  new HomelabError("E_STATE_COPY", `${dir} is no whole copy of states: ${what}`, {
    cause,
    subject: dir,
    hint: "name a folder that `homelab state backup` wrote",
  });

/**
 * Checks a whole copy before anything of it is restored.
 * @throws HomelabError E_STATE_COPY for a folder that is no copy, is damaged, or lacks one of the stacks
 */
export function readCopy(dir: string, wanted: readonly string[]): Manifest {
  let manifest: Manifest;
  try {
    manifest = manifestSchema.parse(JSON.parse(fs.readFileSync(path.join(dir, MANIFEST), "utf8")));
  } catch (cause) {
    throw damagedCopy(dir, systemErrorCode(cause) === "ENOENT" ? `${MANIFEST} is not there` : `${MANIFEST} is not what a backup writes`, cause);
  }
  const missing = wanted.find((stack) => manifest.stacks[stack] === undefined);
  if (missing !== undefined)
    throw new HomelabError("E_STATE_COPY", `${dir} has no copy of ${missing}`, {
      subject: missing,
      hint: `it has: ${Object.keys(manifest.stacks).join(", ")}`,
    });
  for (const [stack, { sha256 }] of Object.entries(manifest.stacks)) {
    const file = path.join(dir, `${stack}.json`);
    const text = fs.existsSync(file) ? fs.readFileSync(file, "utf8") : undefined;
    if (text === undefined) throw damagedCopy(dir, `${stack}.json is not there`);
    if (digest(text) !== sha256) throw damagedCopy(dir, `${stack}.json is not what was written (its SHA-256 differs)`);
  }
  return manifest;
}

/** Replaces the state of a stack by its copy. A missing stack is created. */
export async function restoreState(run: EngineCommand, stack: string, dir: string): Promise<void> {
  const there = (await stackNames((words) => run(words, {}))).has(stack);
  if (!there) await run(["stack", "init", stack, "--no-select"], {});
  await run(["stack", "import", "--file", path.join(dir, `${stack}.json`), "--stack", stack], {});
}
