/**
 * The YAML files of SOPS 3.10 and newer: each value is encrypted with its path as additional data, and a MAC over all values
 * stands beside them, encrypted with the time of the last change.
 */
import * as crypto from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { HomelabError } from "../common/errors";
import type { AgeIdentity } from "./age";
import { openDataKey, ownEntry, parseMetadata, SOPS_VERSION, sopsError, sopsTime, wrapDataKey } from "./sops-metadata";
import { additionalData, decryptValue, encryptValue, macOf, type PlainValue, plainValue, programValue } from "./sops-values";
import { type Leaf, leavesOf, parseSopsYaml, printNewSopsYaml } from "./sops-yaml";

/** Values by key, to any depth. Order is part of a file's MAC. */
export interface SecretTree {
  [key: string]: SecretTree | string | number | boolean;
}

/**
 * The text of a new encrypted file.
 * @param modified time of the change, to the second
 */
export function encryptSopsFile(tree: SecretTree, recipients: readonly string[], modified: Date): string {
  const key = crypto.randomBytes(32);
  const texts: string[] = [];
  const walk = (node: SecretTree, place: readonly string[]): SecretTree =>
    Object.fromEntries(
      Object.entries(node).map(([name, value]) => {
        const here = [...place, name];
        if (typeof value === "object") return [name, walk(value, here)];
        const plain = plainValue(value);
        texts.push(plain.text);
        return [name, plain.text === "" ? "" : encryptValue(plain, key, additionalData(here))];
      }),
    );
  const values = walk(tree, []);
  const lastmodified = sopsTime(modified);
  const sops = {
    age: wrapDataKey(key, recipients),
    lastmodified,
    mac: encryptValue({ text: macOf(texts), type: "str" }, key, lastmodified),
    unencrypted_suffix: "_unencrypted",
    version: SOPS_VERSION,
  };
  return printNewSopsYaml({ ...values, sops });
}

/** A value of an opened file. */
interface OpenLeaf extends Leaf {
  plain: PlainValue;
}

/** A file whose values are decrypted, in memory, and whose MAC matches. */
export interface OpenFile {
  text: string;
  document: ReturnType<typeof parseSopsYaml>;
  dataKey: Buffer;
  leaves: OpenLeaf[];
  recipients: string[];
  /** The key that it was opened with. */
  identity: AgeIdentity;
}

/** @throws HomelabError E_SECRET_FORMAT, E_SECRET_PLAIN, E_SECRET_RECIPIENT or E_SECRET_MAC, each naming the file */
export function openSopsFile(file: string, text: string, identities: readonly AgeIdentity[]): OpenFile {
  const document = parseSopsYaml(file, text);
  const metadata = parseMetadata(file, (document.toJS({ maxAliasCount: 0 }) as Record<string, unknown>)["sops"], text);
  const leaves = leavesOf(file, document);
  const entry = ownEntry(file, metadata, identities);
  let dataKey: Buffer;
  let open: OpenLeaf[];
  let mac: string;
  try {
    dataKey = openDataKey(entry);
    open = leaves.map((leaf) => ({ ...leaf, plain: decryptLeaf(leaf, dataKey) }));
    mac = decryptValue(metadata.mac, dataKey, metadata.lastmodified).text;
  } catch (cause) {
    throw sopsError(
      "E_SECRET_MAC",
      file,
      "it does not decrypt: it was changed after it was encrypted",
      "restore it from Git",
      cause instanceof HomelabError ? cause : undefined,
    );
  }
  if (mac !== macOf(open.map(({ plain }) => plain.text)))
    throw sopsError(
      "E_SECRET_MAC",
      file,
      "its MAC does not match: values were added, removed or moved by hand",
      "restore it from Git, and change it with sops",
    );
  return { text, document, dataKey, leaves: open, recipients: metadata.age.map(({ recipient }) => recipient), identity: entry.identity };
}

function decryptLeaf({ node, place }: Leaf, key: Buffer): PlainValue {
  return node.value === "" ? { text: "", type: "str" } : decryptValue(node.value, key, additionalData(place));
}

/** The values of an opened file as the program sees them. */
export function treeOf(leaves: readonly { place: readonly string[]; plain: PlainValue }[]): SecretTree {
  const tree: SecretTree = {};
  for (const { place, plain } of leaves) {
    let node = tree;
    for (const part of place.slice(0, -1)) {
      const below = Object.hasOwn(node, part) ? (node[part] as SecretTree) : {};
      define(node, part, below);
      node = below;
    }
    define(node, place.at(-1) ?? "", programValue(plain));
  }
  return tree;
}

/** Sets a key, also one such as `__proto__`: an assignment would set the prototype instead. */
function define(node: SecretTree, key: string, value: SecretTree[string]): void {
  Object.defineProperty(node, key, { value, enumerable: true, configurable: true, writable: true });
}

/**
 * The values of an encrypted file, in memory only. `sops-age` decrypts them; what it leaves out (that everything is encrypted,
 * that nothing was moved or left out, exact numbers, dates) is checked by {@link openSopsFile}, and both must agree.
 * @throws HomelabError as {@link openSopsFile} does
 */
export async function decryptSopsFile(file: string, text: string, identities: readonly AgeIdentity[]): Promise<SecretTree> {
  const { document, leaves, identity } = openSopsFile(file, text, identities);
  const ours = treeOf(leaves);
  // A value that JavaScript cannot hold exactly is kept as text. sops-age must decrypt it as text too.
  for (const { node, plain } of leaves) {
    if (typeof programValue(plain) === "string") node.value = node.value.replace(/,type:\w+\]$/, ",type:str]");
  }
  const { decryptSops } = require("sops-age") as typeof import("sops-age");
  let theirs: SecretTree;
  try {
    // As JSON: the file is parsed once, and only by the strict parser.
    theirs = await decryptSops(JSON.stringify(document.toJS()), { fileType: "json", secretKey: identity.secret });
  } catch {
    // No cause: it may quote a value.
    throw sopsError("E_SECRET_MAC", file, "sops-age cannot open it", "encrypt it anew with sops");
  }
  if (!isDeepStrictEqual(sorted(theirs), sorted(ours))) throw sopsError("E_SECRET_MAC", file, "it can be read in two ways", "encrypt it anew with sops");
  return ours;
}

/** The same values as plain objects with their keys in one order. */
const sorted = (tree: SecretTree): unknown =>
  Object.entries(tree)
    .map(([key, value]): [string, unknown] => [key, typeof value === "object" ? sorted(value) : value])
    .sort(([a], [b]) => (a < b ? -1 : 1));
