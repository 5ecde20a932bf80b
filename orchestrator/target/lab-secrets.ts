/**
 * The secrets of the lab. Where the lab's key, which is published, opens the checkout's files, their values are made up and are used as they
 * are. The files of a real homelab are not decrypted: the lab gets files of the same names with values of its own, so that it has no real secret.
 */
import * as crypto from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { z } from "zod";
import { ENV, readEnv } from "../../common/env";
import { writeFileAtomic } from "../../common/files";
import { projectRoot } from "../../common/paths";
import { OWN_AUTHORITY } from "../../common/vault-layout";
import { parseKeyFile } from "../../secrets/age-keys";
import { recipientsFor } from "../../secrets/sops-config";
import { encryptSopsFile } from "../../secrets/sops-file";
import { readSopsText, yamlFiles } from "../../secrets/sops-folder";
import { leavesOf, parseSopsYaml } from "../../secrets/sops-yaml";
import { treeAt } from "../../secrets/vault-paths";

export const LAB_AGE_KEY = path.join("secrets", "lab-only.agekey");

const labOnlySchema = z.object({ proxmox: z.object({ token: z.object({ id: z.string(), secret: z.string() }) }) });

/** The lab's own stand-in for the homelab's certificate authority: its certificate, in the clear. */
export const labAuthority = (dir: string): string => path.join(dir, "authority.pem");

/** Values that belong together, by entry. */
async function entryValues(entry: string, dir: string): Promise<Readonly<Record<string, string>> | undefined> {
  if (entry !== OWN_AUTHORITY.path) return undefined;
  const { newAuthority } = await import("../../common/authority");
  const { cert, key } = await newAuthority("homelab (lab only)");
  writeFileAtomic(labAuthority(dir), cert);
  return { [OWN_AUTHORITY.certificate]: cert, [OWN_AUTHORITY.key]: key };
}

/** Values that somebody in the lab checks, by key. */
function knownValues(): Readonly<Record<string, () => string>> {
  const { token } = labOnlySchema.parse(JSON.parse(fs.readFileSync(path.join(projectRoot(), "lab", "lab-only.json"), "utf8"))).proxmox;
  return {
    PROXMOX_TOKEN_ID: () => token.id,
    PROXMOX_SECRET: () => token.secret,
    SSH_PRIVATE_KEY: () => (require("../../common/ssh-key") as typeof import("../../common/ssh-key")).newSshKey("lab-only").private,
  };
}

const keysOf = (root: string, name: string): string[] =>
  leavesOf(name, parseSopsYaml(name, readSopsText(root, name, name))).map(({ place }) => place.at(-1) ?? "");

/**
 * @param dir the lab's folder
 * @returns the folder with the lab's own files, brought up to the keys that the checkout's have; undefined: the lab uses the checkout's
 */
export async function labSecrets(dir: string): Promise<string | undefined> {
  if (readEnv(ENV.secretsDir) !== undefined) return undefined;
  const [lab] = parseKeyFile(fs.readFileSync(path.join(projectRoot(), LAB_AGE_KEY), "utf8"));
  if (lab === undefined) throw new Error(`${LAB_AGE_KEY} holds no key`);
  if (recipientsFor("secrets/common/x.yaml", path.join(projectRoot(), ".sops.yaml")).includes(lab.recipient)) return undefined;
  const own = path.join(projectRoot(), "secrets");
  const copy = path.join(dir, "secrets");
  const folders = fs.readdirSync(own, { withFileTypes: true }).filter((entry) => entry.isDirectory() && entry.name !== "vault");
  const names = folders.flatMap(({ name }) => yamlFiles(path.join(own, name)).map((file) => path.posix.join(name, file)));
  const known = knownValues();
  for (const name of names) {
    const keys = keysOf(own, name);
    const target = path.join(copy, name);
    // An existing file stays: a value that changes with each start would be a change of the homelab.
    if (fs.existsSync(target) && JSON.stringify(keysOf(copy, name)) === JSON.stringify(keys)) continue;
    const entry = name.slice(name.indexOf("/") + 1, -".yaml".length);
    const whole = await entryValues(entry, dir);
    const values = Object.fromEntries(keys.map((key) => [key, whole?.[key] ?? known[key]?.() ?? `lab-only-${crypto.randomBytes(12).toString("hex")}`]));
    fs.mkdirSync(path.dirname(target), { recursive: true, mode: 0o700 });
    writeFileAtomic(target, encryptSopsFile(treeAt(entry, values), [lab.recipient], new Date()), 0o600);
  }
  for (const { name } of folders)
    for (const file of yamlFiles(path.join(copy, name))) if (!names.includes(path.posix.join(name, file))) fs.rmSync(path.join(copy, name, file));
  writeFileAtomic(path.join(dir, ".sops.yaml"), `creation_rules:\n  - path_regex: secrets/.*\\.yaml$\n    age: ${lab.recipient}\n`, 0o600);
  return copy;
}

/** Where the secrets of a command's site are, and the key that opens them. @param env the site's environment */
export function secretsPlace(env: Readonly<Record<string, string>>): { ageKeyFile?: string; root?: string } {
  const { [ENV.ageKeyFile]: ageKeyFile, [ENV.secretsDir]: root } = env;
  return { ...(ageKeyFile === undefined ? {} : { ageKeyFile }), ...(root === undefined ? {} : { root }) };
}
