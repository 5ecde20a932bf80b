/**
 * Backups that the module state-backup wrote (`images/state-backup/backup.sh`): each state as the backend keeps it, encrypted by age. They are
 * decrypted into a copy in the form of `homelab state backup`.
 */
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { gunzipSync } from "node:zlib";
import { z } from "zod";
import { HomelabError } from "../../common/errors";
import { type AgeIdentity, ageDecryptFile } from "../../secrets/age";
import { type CopyFacts, damagedCopy, writeCopy } from "./state-copies";

/** Written last: a folder without it is an incomplete backup. */
const FACTS = "backup.json";
const SUMS = "SHA256SUMS";

const factsSchema = z.strictObject({ version: z.literal(1), site: z.string(), takenAt: z.iso.datetime() });

/** A state as the CLI's backends keep it; version 3 is the one that `stack import` takes. */
const storedSchema = z.looseObject({
  version: z.literal(3),
  checkpoint: z.looseObject({ latest: z.looseObject({ resources: z.array(z.unknown()).nullish() }) }),
});

/** Whether the folder has such a backup, and not one of `homelab state backup`. */
export const isEncryptedCopy = (dir: string): boolean => fs.existsSync(path.join(dir, FACTS));

function factsOf(dir: string): z.infer<typeof factsSchema> {
  try {
    return factsSchema.parse(JSON.parse(fs.readFileSync(path.join(dir, FACTS), "utf8")));
  } catch (cause) {
    throw damagedCopy(dir, `${FACTS} is not what the module state-backup writes`, cause);
  }
}

/** By file below the folder, as `sha256sum` writes them. */
function sumsOf(dir: string): Map<string, string> {
  const file = path.join(dir, SUMS);
  if (!fs.existsSync(file)) throw damagedCopy(dir, `${SUMS} is not there`);
  const lines = fs
    .readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line !== "");
  return new Map(
    lines.map((line) => {
      const [, sum, name] = /^([0-9a-f]{64}) [ *]\.\/(.+)$/.exec(line) ?? [];
      if (sum === undefined || name === undefined) throw damagedCopy(dir, `${SUMS} has the line "${line}"`);
      return [name, sum];
    }),
  );
}

/** @throws HomelabError E_AGE_KEY where it is encrypted to none of the keys */
function decrypt(file: string, binary: Buffer, keys: readonly AgeIdentity[]): Buffer {
  let notOurs: unknown;
  for (const key of keys) {
    try {
      return ageDecryptFile(binary, key);
    } catch (error) {
      if (!(error instanceof HomelabError) || error.code !== "E_AGE_KEY") throw error;
      notOurs = error;
    }
  }
  throw new HomelabError("E_AGE_KEY", `${file} is encrypted to none of your ${keys.length} age keys`, {
    subject: file,
    hint: "SOPS_AGE_KEY_FILE must have the private half of a recipient that the backup was made for",
    cause: notOurs,
  });
}

/** @returns what `pulumi stack import` takes */
function exportOf(dir: string, name: string, stored: Buffer): string {
  try {
    const { version, checkpoint } = storedSchema.parse(JSON.parse(stored.toString("utf8")));
    return `${JSON.stringify({ version, deployment: checkpoint.latest }, null, 4)}\n`;
  } catch (cause) {
    throw damagedCopy(dir, `${name} holds no state of version 3`, cause);
  }
}

/**
 * Decrypts a whole backup into a new folder.
 * @param kind of the homelab that it is restored to: a backup does not say whether it is of a lab
 * @throws HomelabError E_STATE_COPY for one that is damaged or incomplete; E_AGE_KEY, E_AGE_FILE
 */
export function openEncryptedCopy(dir: string, keys: readonly AgeIdentity[], target: string, kind: CopyFacts["kind"]): void {
  const { site, takenAt } = factsOf(dir);
  const exports = new Map<string, string>();
  for (const [name, sum] of sumsOf(dir)) {
    const [, stack, zipped] = /^states\/([^/]+)\.json(\.gz)?\.age$/.exec(name) ?? [];
    if (stack === undefined) continue;
    const file = path.join(dir, name);
    if (!fs.existsSync(file)) throw damagedCopy(dir, `${name} is not there`);
    const binary = fs.readFileSync(file);
    if (createHash("sha256").update(binary).digest("hex") !== sum) throw damagedCopy(dir, `${name} is not what was written (its SHA-256 differs)`);
    const plain = decrypt(file, binary, keys);
    exports.set(stack, exportOf(dir, name, zipped === undefined ? plain : gunzipSync(plain)));
  }
  if (exports.size === 0) throw damagedCopy(dir, `${SUMS} names no state`);
  writeCopy(target, exports, { site, kind, takenAt });
}
