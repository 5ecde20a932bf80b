import { HomelabError } from "../common/errors";
import { ENVIRONMENTS, KV_MOUNT } from "../common/vault-layout";
import type { SecretTree } from "./sops-file";

/** Keys and values of one entry of Vault. */
export type SecretEntry = Readonly<Record<string, string>>;

function shape(file: string, message: string): HomelabError {
  return new HomelabError("E_SECRET_SHAPE", `${file}: ${message}`, {
    subject: file,
    hint: "see secrets/README.md: vault, kv, the path's parts, then keys with their values",
  });
}

/**
 * The entries of a decrypted file, by path below the mount. A map whose values are all plain is an entry; a plain value beside
 * a map has no place in Vault and is refused (the system before this one dropped it).
 * @param expected the path that the file's own place says: `cloudflare` for `common/cloudflare.yaml`
 */
export function entriesOf(file: string, tree: SecretTree, expected: string): Map<string, SecretEntry> {
  const { vault, ...others } = tree;
  const [other] = Object.keys(others);
  if (other !== undefined) throw shape(file, `unexpected top key "${other}"; the only one is "vault"`);
  if (typeof vault !== "object") throw shape(file, 'the top key "vault" is missing');
  const { [KV_MOUNT]: mount, ...mounts } = vault;
  const [strange] = Object.keys(mounts);
  if (strange !== undefined || typeof mount !== "object")
    throw shape(file, `the only mount is "${KV_MOUNT}"${strange === undefined ? "" : `, not "${strange}"`}`);
  const entries = new Map<string, SecretEntry>();
  const descend = (node: SecretTree, path: readonly string[]): void => {
    const values = Object.entries(node);
    const maps = values.filter(([, value]) => typeof value === "object");
    if (values.length === 0) throw shape(file, `"${path.join("/")}" is empty`);
    if (maps.length > 0 && maps.length < values.length) throw shape(file, `"${path.join("/")}" has values beside maps`);
    if (maps.length === 0) {
      entries.set(path.join("/"), Object.fromEntries(values.map(([key, value]) => [key, String(value)])));
      return;
    }
    for (const [key, value] of maps) descend(value as SecretTree, [...path, key]);
  };
  descend(mount, []);
  for (const path of entries.keys()) if (path !== expected) throw shape(file, `it holds "${path}", and its place says "${expected}"`);
  return entries;
}

/** Where Vault keeps an entry of one environment: beside the common one, which the other environments go on reading. */
export const environmentPath = (environment: string, path: string): string => `${ENVIRONMENTS}/${environment}/${path}`;

/** The inverse of {@link entriesOf}: the tree of a file that holds one entry. */
export const treeAt = (path: string, values: SecretEntry): SecretTree => ({
  vault: { [KV_MOUNT]: path.split("/").reduceRight<SecretTree>((below, part) => ({ [part]: below }), { ...values }) },
});
