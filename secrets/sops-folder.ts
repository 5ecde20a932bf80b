/** Reading a folder of SOPS files, strictly. */
import * as fs from "node:fs";
import * as path from "node:path";
import { cutWrite } from "../common/cut-writes";
import { ENV, readEnv } from "../common/env";
import { HomelabError } from "../common/errors";
import { projectRoot } from "../common/paths";
import { CLUSTERS, ENVIRONMENTS, isEntryPlace, storePath } from "../common/vault-layout";

/** Folder that holds the SOPS files: `secrets/` of the checkout, or HOMELAB_SECRETS_DIR. */
export function secretsDir(): string {
  return readEnv(ENV.secretsDir) ?? path.join(projectRoot(), "secrets");
}

/** What to do about an entry that lies elsewhere. */
export const PLACES_HINT = `give it one or two names (dns, or shop/database), or put it into ${storePath()}; ${CLUSTERS} and ${ENVIRONMENTS} are not for files`;

/** No secret is this long; a larger file is somebody's mistake. */
const MAX_BYTES = 1024 * 1024;

/**
 * Paths of the files below a folder, by name.
 * @throws HomelabError E_SECRET_FILE for any other file, and for one where Vault has no place for an entry
 */
export function yamlFiles(folder: string, below = ""): string[] {
  if (!fs.existsSync(path.join(folder, below))) return [];
  return fs
    .readdirSync(path.join(folder, below), { withFileTypes: true })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const name = path.posix.join(below, entry.name);
      if (entry.isDirectory()) return yamlFiles(folder, name);
      if (entry.isFile() && entry.name.endsWith(".yaml")) {
        if (!isEntryPlace(name.slice(0, -".yaml".length))) throw noPlace(path.join(folder, name));
        return [name];
      }
      // Left by an interrupted write: it is encrypted, and not the file itself.
      if (cutWrite(entry.name)?.file.endsWith(".yaml") === true) return [];
      throw new HomelabError("E_SECRET_FILE", `${path.join(folder, name)} is no .yaml file`, {
        subject: name,
        hint: "only SOPS files belong below secrets/common and secrets/<environment>",
      });
    });
}

const noPlace = (file: string): HomelabError =>
  new HomelabError("E_SECRET_FILE", `${file} lies where Vault has no place for an entry`, { subject: file, hint: PLACES_HINT });

/** @param label how errors call it. @throws HomelabError E_SECRET_FORMAT for a huge or a binary file */
export function readSopsText(folder: string, name: string, label: string): string {
  const file = path.join(folder, name);
  const huge = fs.statSync(file).size > MAX_BYTES;
  const bytes = huge ? Buffer.alloc(0) : fs.readFileSync(file);
  if (huge || bytes.includes(0)) {
    throw new HomelabError("E_SECRET_FORMAT", `${label}: it is ${huge ? "larger than 1 MiB" : "binary"}, and no SOPS file`, {
      subject: label,
      hint: "restore it from Git",
    });
  }
  return bytes.toString("utf8");
}
