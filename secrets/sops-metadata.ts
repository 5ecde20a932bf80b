/** The `sops` section of a file: who can open it, when it was changed, and the MAC over its values. */
import { z } from "zod";
import { HomelabError } from "../common/errors";
import { type AgeIdentity, ageDecrypt, ageEncrypt } from "./age";

/** The version of SOPS whose format the written files have, and which they name. */
export const SOPS_VERSION = "3.10.2";

const schema = z.looseObject({
  age: z.array(z.looseObject({ recipient: z.string(), enc: z.string() })).min(1),
  lastmodified: z.string(),
  mac: z.string(),
  version: z.string(),
});

export type SopsMetadata = z.infer<typeof schema>;

export function sopsError(code: string, file: string, message: string, hint: string, cause?: unknown): HomelabError {
  return new HomelabError(code, `${file}: ${message}`, { subject: file, hint, ...(cause === undefined ? {} : { cause }) });
}

/**
 * @param text of the whole file
 * @throws HomelabError E_SECRET_PLAIN where there is none, E_SECRET_FORMAT where it is damaged or asks for what is not supported
 */
export function parseMetadata(file: string, section: unknown, text: string): SopsMetadata {
  const missing = section === undefined || section === null;
  // Such a file has lost its end. If it were encrypted again, its values would be lost for good.
  if (missing && text.includes("ENC[AES256_GCM,")) throw sopsError("E_SECRET_FORMAT", file, "its end with the sops section is missing", "restore it from Git");
  if (missing) throw sopsError("E_SECRET_PLAIN", file, "it is not encrypted: it has no sops section", "encrypt it: sops encrypt --in-place <file>");
  const metadata = schema.safeParse(section);
  if (!metadata.success) throw sopsError("E_SECRET_FORMAT", file, "its sops section is damaged, or it has no age recipient", "restore it from Git");
  if (metadata.data["mac_only_encrypted"] === true)
    throw sopsError("E_SECRET_FORMAT", file, "mac_only_encrypted is not supported", "remove it from .sops.yaml and encrypt the file again");
  return metadata.data;
}

/** The first of the identities that the file is encrypted to, with its copy of the data key. @throws HomelabError E_SECRET_RECIPIENT */
export function ownEntry(file: string, metadata: SopsMetadata, identities: readonly AgeIdentity[]): { identity: AgeIdentity; enc: string } {
  for (const identity of identities) {
    const entry = metadata.age.find(({ recipient }) => recipient === identity.recipient);
    if (entry !== undefined) return { identity, enc: entry.enc };
  }
  const recipients = metadata.age.map(({ recipient }) => recipient).join(", ");
  throw sopsError(
    "E_SECRET_RECIPIENT",
    file,
    `none of your age keys is among its recipients (${recipients})`,
    "use the right key, or have somebody who can open it run `homelab secrets recipients` with yours in .sops.yaml",
  );
}

export const openDataKey = (entry: { identity: AgeIdentity; enc: string }): Buffer => ageDecrypt(entry.enc, entry.identity);

/** The data key, encrypted to each recipient. */
export const wrapDataKey = (key: Uint8Array, recipients: readonly string[]): { recipient: string; enc: string }[] =>
  recipients.map((recipient) => ({ recipient, enc: ageEncrypt(key, [recipient]) }));

/** SOPS keeps seconds. */
export const sopsTime = (when: Date): string => `${when.toISOString().slice(0, 19)}Z`;
