/** The encrypted files of a new site. Values that can be generated are; values that only the owner knows are marked. */

import * as crypto from "node:crypto";
import type { OwnAuthority } from "../common/authority";
import { newSshKey, type SshKeyPair } from "../common/ssh-key";
import { OWN_AUTHORITY, storePath } from "../common/vault-layout";
import { PLACEHOLDER } from "../secrets/placeholder";
import { encryptSopsFile } from "../secrets/sops-file";
import { type SecretEntry, treeAt } from "../secrets/vault-paths";
import type { Files } from "./site-files";

/** An SSH key that the homelab logs in to its hosts with. */
export const newHomelabKey = (domain: string): SshKeyPair => newSshKey(`homelab ${domain}`);

/** An authority of the homelab's own. */
export async function newHomelabAuthority(domain: string, now: Date): Promise<OwnAuthority> {
  // Loaded only here, since most importers of this module create no authority.
  const { newAuthority } = await import("../common/authority");
  return newAuthority(`homelab ${domain}`, now.getTime());
}

export interface NewSecret {
  /** Path below Vault's mount. */
  path: string;
  values: SecretEntry;
  /** What the owner has to fill in, if values are marked. */
  fill?: string;
}

/** docs/vms.md says which rights it needs. */
const TOKEN_ID = "homelab@pve!pulumi";

const password = (): string => crypto.randomBytes(24).toString("base64url");

/** Who signs the certificates of host names. */
const signing = (authority: Pick<OwnAuthority, "cert" | "key"> | undefined): NewSecret =>
  authority === undefined
    ? {
        path: "cloudflare",
        values: { "api-token": PLACEHOLDER },
        fill: "a token of Cloudflare that may edit the domain's DNS records, for certificates by DNS-01",
      }
    : { path: OWN_AUTHORITY.path, values: { [OWN_AUTHORITY.certificate]: authority.cert, [OWN_AUTHORITY.key]: authority.key } };

/**
 * @param authority of the homelab's own; undefined: Let's Encrypt signs
 * @param token of Proxmox, where it is known
 */
export function newSecrets(key: SshKeyPair, authority?: Pick<OwnAuthority, "cert" | "key">, token?: { id: string; secret: string }): NewSecret[] {
  return [
    { path: storePath("PROXMOX_TOKEN_ID"), values: { PROXMOX_TOKEN_ID: token?.id ?? TOKEN_ID } },
    {
      path: storePath("PROXMOX_SECRET"),
      values: { PROXMOX_SECRET: token?.secret ?? PLACEHOLDER },
      ...(token === undefined ? { fill: "the secret of Proxmox's API token, which Proxmox shows once (docs/vms.md)" } : {}),
    },
    { path: storePath("SSH_PRIVATE_KEY"), values: { SSH_PRIVATE_KEY: key.private } },
    { path: storePath("EXTERNAL_DNS_PIHOLE_PASSWORD"), values: { PIHOLE_PASSWORD: password() } },
    signing(authority),
  ];
}

/** Their files, by path from the checkout's folder. */
export const secretFiles = (secrets: readonly NewSecret[], recipient: string, now: Date): Files =>
  new Map(secrets.map(({ path, values }) => [`secrets/common/${path}.yaml`, encryptSopsFile(treeAt(path, values), [recipient], now)]));

/** Who can read what sops writes in this checkout. */
export const sopsConfig = (
  recipient: string,
): string => `# The recipients that can decrypt the files that sops writes here, with commas between them: one for each operator and one for CI.
creation_rules:
  - path_regex: secrets/.*\\.yaml$
    age: ${recipient}
`;
