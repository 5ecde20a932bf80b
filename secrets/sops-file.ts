/**
 * The YAML files of SOPS 3.10: each value is `ENC[AES256_GCM,data:…,iv:…,tag:…,type:…]` with its path as additional data, and
 * a MAC over all values stands beside them, encrypted with the time of the last change.
 */
import * as crypto from "node:crypto";
import { z } from "zod";
import { HomelabError } from "../common/errors";
import { type AgeIdentity, ageDecrypt, ageEncrypt } from "./age";

/** Values by key, to any depth. Order is part of a file's MAC. */
export interface SecretTree {
  [key: string]: SecretTree | string | number | boolean;
}

/** The version of SOPS that our files say they were written by: what their format follows. */
const SOPS_VERSION = "3.10.2";

const metadataSchema = z.looseObject({
  age: z.array(z.looseObject({ recipient: z.string(), enc: z.string() })).min(1),
  lastmodified: z.string(),
  mac: z.string(),
  version: z.string(),
});

const encrypted = /^ENC\[AES256_GCM,data:([^,\]]*),iv:([^,\]]+),tag:([^,\]]+),type:(str|int|float|bool|bytes|comment)\]$/;

function encryptText(text: string, type: string, key: Uint8Array, additional: string): string {
  // SOPS takes 32 bytes as nonce, not the usual 12.
  const iv = crypto.randomBytes(32);
  const cipher = crypto.createCipheriv("aes-256-gcm", key, iv);
  cipher.setAAD(Buffer.from(additional));
  const data = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
  return `ENC[AES256_GCM,data:${data.toString("base64")},iv:${iv.toString("base64")},tag:${cipher.getAuthTag().toString("base64")},type:${type}]`;
}

function decryptText(text: string, key: Uint8Array, additional: string): string {
  const match = encrypted.exec(text);
  if (!match) throw new Error("not an encrypted value");
  const [data = "", iv = "", tag = ""] = match.slice(1).map((part) => Buffer.from(part, "base64"));
  const cipher = crypto.createDecipheriv("aes-256-gcm", key, iv);
  cipher.setAAD(Buffer.from(additional));
  cipher.setAuthTag(tag as Buffer);
  return Buffer.concat([cipher.update(data as Buffer), cipher.final()]).toString("utf8");
}

/** A value as SOPS takes it into the MAC and encrypts it (Go's formats). */
function plainText(value: string | number | boolean): { text: string; type: string } {
  if (typeof value === "string") return { text: value, type: "str" };
  if (typeof value === "boolean") return { text: value ? "True" : "False", type: "bool" };
  return { text: String(value), type: Number.isInteger(value) ? "int" : "float" };
}

function walk(tree: SecretTree, path: readonly string[], visit: (value: string | number | boolean, path: readonly string[]) => string): SecretTree {
  return Object.fromEntries(
    Object.entries(tree).map(([key, value]) => [key, typeof value === "object" ? walk(value, [...path, key], visit) : visit(value, [...path, key])]),
  );
}

/** SHA-512 over all values in the order of the file, as SOPS writes it. */
function macOf(tree: SecretTree): string {
  const hash = crypto.createHash("sha512");
  walk(tree, [], (value) => {
    hash.update(plainText(value).text);
    return "";
  });
  return hash.digest("hex").toUpperCase();
}

/**
 * The text of an encrypted file.
 * @param modified time of the change, to the second
 */
export function encryptSopsFile(tree: SecretTree, recipients: readonly string[], modified: Date): string {
  const { stringify } = require("yaml") as typeof import("yaml");
  const key = crypto.randomBytes(32);
  const lastmodified = `${modified.toISOString().slice(0, 19)}Z`;
  const values = walk(tree, [], (value, path) => {
    const { text, type } = plainText(value);
    return text === "" ? "" : encryptText(text, type, key, `${path.join(":")}:`);
  });
  const sops = {
    age: recipients.map((recipient) => ({ recipient, enc: ageEncrypt(key, [recipient]) })),
    lastmodified,
    mac: encryptText(macOf(tree), "str", key, lastmodified),
    unencrypted_suffix: "_unencrypted",
    version: SOPS_VERSION,
  };
  return stringify({ ...values, sops }, { lineWidth: 0, indent: 4 });
}

function bad(code: string, file: string, message: string, hint: string, cause?: unknown): HomelabError {
  return new HomelabError(code, `${file}: ${message}`, { subject: file, hint, ...(cause === undefined ? {} : { cause }) });
}

/** Refuses values that stand in the file unencrypted: somebody committed a secret as it is. */
function assertEncrypted(file: string, tree: Record<string, unknown>, path: readonly string[]): void {
  for (const [key, value] of Object.entries(tree)) {
    const here = [...path, key];
    if (typeof value === "object" && value !== null && !Array.isArray(value)) assertEncrypted(file, value as Record<string, unknown>, here);
    else if (typeof value !== "string" || (value !== "" && !encrypted.test(value))) {
      throw bad(
        "E_SECRET_PLAIN",
        file,
        `the value of ${here.join(".")} is not encrypted`,
        "encrypt the file with sops, and treat the value as burnt if it was committed",
      );
    }
  }
}

/**
 * The values of an encrypted file. `sops-age` decrypts them; what it leaves out (that everything is encrypted, that the MAC
 * matches) is checked here. The result is in memory only.
 * @throws HomelabError E_SECRET_FORMAT, E_SECRET_PLAIN, E_SECRET_RECIPIENT or E_SECRET_MAC, each naming the file
 */
export async function decryptSopsFile(file: string, text: string, identities: readonly AgeIdentity[]): Promise<SecretTree> {
  const { parse } = require("yaml") as typeof import("yaml");
  let document: Record<string, unknown>;
  try {
    document = z.record(z.string(), z.unknown()).parse(parse(text));
  } catch (cause) {
    // The parser's own text may quote the file, which may hold a secret in plain.
    throw bad(
      "E_SECRET_FORMAT",
      file,
      "it is not a YAML map, or it is cut off",
      "restore it from Git",
      cause instanceof Error ? new Error(cause.name) : undefined,
    );
  }
  const { sops, ...values } = document;
  if (sops === undefined) throw bad("E_SECRET_PLAIN", file, "it is not encrypted: it has no sops section", "encrypt it: sops encrypt --in-place <file>");
  const metadata = metadataSchema.safeParse(sops);
  if (!metadata.success) throw bad("E_SECRET_FORMAT", file, "its sops section is damaged, or it has no age recipient", "restore it from Git");
  if (metadata.data["mac_only_encrypted"] === true)
    throw bad("E_SECRET_FORMAT", file, "mac_only_encrypted is not supported", "remove it from .sops.yaml and encrypt the file again");
  assertEncrypted(file, values, []);
  const found = identities.flatMap((identity) => metadata.data.age.filter((a) => a.recipient === identity.recipient).map((a) => ({ identity, enc: a.enc })))[0];
  if (found === undefined) {
    const recipients = metadata.data.age.map((a) => a.recipient).join(", ");
    throw bad(
      "E_SECRET_RECIPIENT",
      file,
      `none of your age keys is among its recipients (${recipients})`,
      "use the right key, or have the file encrypted to yours (sops updatekeys)",
    );
  }
  let tree: SecretTree;
  let mac: string;
  try {
    const { decryptSops } = require("sops-age") as typeof import("sops-age");
    // As JSON: the file is parsed once, and only by the strict parser above.
    tree = await decryptSops(JSON.stringify(document), { fileType: "json", secretKey: found.identity.secret });
    mac = decryptText(metadata.data.mac, ageDecrypt(found.enc, found.identity), metadata.data.lastmodified);
  } catch (cause) {
    throw bad(
      "E_SECRET_MAC",
      file,
      "it does not decrypt: it was changed after it was encrypted",
      "restore it from Git",
      cause instanceof HomelabError ? cause : undefined,
    );
  }
  if (mac !== macOf(tree))
    throw bad("E_SECRET_MAC", file, "its MAC does not match: values were added, removed or moved by hand", "restore it from Git, and change it with sops");
  return tree;
}
