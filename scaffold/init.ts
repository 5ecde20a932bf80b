/** `homelab init`: the files of one's own homelab in a checkout that has none. */
import * as os from "node:os";
import * as path from "node:path";
import { readEnv } from "../common/env";
import { generateIdentity } from "../secrets/age";
import type { Answers } from "./answers";
import { layOut } from "./layout";
import { newHomelabAuthority, newHomelabKey, newSecrets, secretFiles, sopsConfig } from "./secret-files";
import { siteFiles } from "./site-files";
import { refuseExisting, writeNew } from "./write";

export interface Initialised {
  /** From the checkout's folder. */
  files: readonly string[];
  /** Where the private half of the key to secrets/ is: outside the checkout, for its owner alone. */
  keyFile: string;
  /** The certificate of the homelab's own authority, which devices have to trust. Undefined with Let's Encrypt. */
  authority: string | undefined;
  /** Values that the owner has to fill in, and what each is. */
  toFill: readonly { file: string; key: string; what: string }[];
}

/** Where init puts the key to the secrets of a homelab. */
const keyFileOf = (domain: string): string =>
  path.join(readEnv("XDG_CONFIG_HOME") ?? path.join(readEnv("HOME") ?? os.homedir(), ".config"), "homelab", `${domain}.agekey`);

/** Parts of a site: if one of them exists, no new site is written. */
const SITE = ["site", "secrets/common", ".sops.yaml"] as const;

/**
 * @param root of the checkout
 * @param token of Proxmox's API, where it is known
 * @throws HomelabError E_EXISTS, with what to do; E_USAGE where the nodes cannot hold the VMs; E_WRITE
 */
export async function initialise(root: string, answers: Answers, token: { id: string; secret: string } | undefined, now: Date): Promise<Initialised> {
  const keyFile = keyFileOf(answers.domain);
  const vms = layOut(answers);
  const identity = generateIdentity();
  const key = newHomelabKey(answers.domain);
  const authority = answers.certificates === "own" ? await newHomelabAuthority(answers.domain, now) : undefined;
  const secrets = newSecrets(key, authority, token);
  const files = new Map([
    ...siteFiles(answers, vms, key.public),
    ...(authority === undefined ? [] : [["site/authority.pem", authority.cert] as const]),
    [".sops.yaml", sopsConfig(identity.recipient)] as const,
    ...secretFiles(secrets, identity.recipient, now),
  ]);
  const inRoot = (name: string): string => path.join(root, name);
  refuseExisting(
    root,
    [...SITE, ...[...files.keys()].filter((name) => name.startsWith("Pulumi."))].map(inRoot),
    "this checkout describes a homelab: to begin your own in it, remove that one first: git rm -rq site secrets/common .sops.yaml 'Pulumi.*.yaml'",
  );
  refuseExisting(root, [keyFile], `it is the key to the secrets of ${answers.domain}: keep it, and take another --domain, or move it away`);
  const privateKey = `# The key to the secrets of ${answers.domain}. Keep a copy in a safe place: without it nobody can read them.\n# public key: ${identity.recipient}\n${identity.secret}\n`;
  writeNew([{ file: keyFile, text: privateKey, mode: 0o600 }, ...[...files].map(([name, text]) => ({ file: inRoot(name), text }))]);
  return {
    files: [...files.keys()],
    keyFile,
    authority: authority === undefined ? undefined : "site/authority.pem",
    toFill: secrets.flatMap(({ path: entry, values, fill }) => (fill === undefined ? [] : [{ file: entry, key: Object.keys(values)[0] ?? "", what: fill }])),
  };
}
