/** Changes to opened SOPS files. Values that are not changed keep their encrypted text, so that a diff shows only the changed ones. */
import * as crypto from "node:crypto";
import type { Document, Scalar, YAMLMap } from "yaml";
import type { OpenFile } from "./sops-file";
import { sopsTime, wrapDataKey } from "./sops-metadata";
import { spliced, type TextEdit } from "./sops-splice";
import { additionalData, decryptValue, encryptValue, macOf, type PlainValue } from "./sops-values";
import { leavesOf, parseSopsYaml, printNewSopsYaml, printSopsYaml } from "./sops-yaml";

/** New values by their place; undefined removes. */
export type Changes = readonly { place: readonly string[]; value: string | undefined }[];

const COMMENT = /ENC\[AES256_GCM,[^\]]*,type:comment\]/g;

function quoted(text: string): Scalar {
  const { Scalar: ScalarNode } = require("yaml") as typeof import("yaml");
  const node = new ScalarNode(text);
  node.type = "QUOTE_DOUBLE";
  return node;
}

/** Writes MAC and time anew. @param texts all values in the order of the document @returns both, as edits of the text */
function sign(document: Document, key: Uint8Array, texts: readonly string[], now: Date): TextEdit[] {
  const time = sopsTime(now);
  const mac = encryptValue({ text: macOf(texts), type: "str" }, key, time);
  // SOPS reads an unquoted one as a date.
  document.setIn(["sops", "lastmodified"], quoted(time));
  document.setIn(["sops", "mac"], mac);
  return [
    { place: ["sops", "lastmodified"], value: JSON.stringify(time) },
    { place: ["sops", "mac"], value: mac },
  ];
}

/** The text with only the edits changed, or, where that is not possible, printed as a whole. @param document with the edits in it */
function edited(file: string, text: string, document: ReturnType<typeof parseSopsYaml>, edits: readonly TextEdit[]): string {
  return spliced(text, parseSopsYaml(file, text), document, edits) ?? printSopsYaml(document, text);
}

const nameOf = (place: readonly string[]): string => JSON.stringify(place);

/** The text of the file with other values. */
export function changeSopsFile(file: string, open: OpenFile, changes: Changes, now: Date): string {
  const document = parseSopsYaml(file, open.text);
  const plain = new Map(open.leaves.map((leaf) => [nameOf(leaf.place), leaf.plain]));
  const edits: TextEdit[] = [];
  for (const { place, value } of changes) {
    const known = plain.get(nameOf(place));
    if (value === undefined) {
      document.deleteIn(place);
      plain.delete(nameOf(place));
      edits.push({ place, value });
    } else if (known?.text !== value) {
      const encrypted = value === "" ? "" : encryptValue({ text: value, type: "str" }, open.dataKey, additionalData(place));
      setIn(document, place, encrypted === "" ? quoted("") : encrypted);
      plain.set(nameOf(place), { text: value, type: "str" });
      edits.push({ place, value: encrypted === "" ? '""' : encrypted });
    }
  }
  const texts = leavesOf(file, document).map(({ place }) => plain.get(nameOf(place))?.text ?? "");
  edits.push(...sign(document, open.dataKey, texts, now));
  return edited(file, open.text, document, edits);
}

/** Like the library's own `setIn`, but new keys come before the `sops` section, which SOPS writes last. */
function setIn(document: Document<YAMLMap>, place: readonly string[], value: unknown): void {
  document.setIn(place, document.createNode(value));
  const { items } = document.contents as YAMLMap<Scalar<string>>;
  items.sort((a, b) => Number(a.key.value === "sops") - Number(b.key.value === "sops"));
}

/** The same values under a new data key, for the same recipients. */
export function rotateDataKey(file: string, open: OpenFile, now: Date): string {
  const key = crypto.randomBytes(32);
  const text = withComments(open.text, open, key);
  const document = parseSopsYaml(file, text);
  const plain = new Map(open.leaves.map((leaf) => [nameOf(leaf.place), leaf.plain]));
  for (const { place, node } of leavesOf(file, document)) {
    const value = plain.get(nameOf(place)) as PlainValue;
    if (value.text !== "") node.value = encryptValue(value, key, additionalData(place));
  }
  document.setIn(["sops", "age"], document.createNode(wrapDataKey(key, open.recipients)));
  sign(
    document,
    key,
    open.leaves.map(({ plain: { text } }) => text),
    now,
  );
  return printSopsYaml(document, text);
}

/** An encrypted comment is bound to the map that it is in. YAML does not say exactly which map that is, so each one is tried. */
function withComments(text: string, open: OpenFile, key: Uint8Array): string {
  const maps = new Set(open.leaves.flatMap(({ place }) => place.map((_, depth) => additionalData(place.slice(0, depth)))));
  return text.replace(COMMENT, (encrypted) => {
    for (const additional of maps) {
      try {
        return encryptValue(decryptValue(encrypted, open.dataKey, additional), key, additional);
      } catch {
        // Of another map.
      }
    }
    throw new Error("a comment does not decrypt");
  });
}

/** The same file for other recipients: values, MAC and time stay, as with `sops updatekeys`. */
export function rewrapDataKey(file: string, open: OpenFile, recipients: readonly string[]): string {
  const document = parseSopsYaml(file, open.text);
  const age = wrapDataKey(open.dataKey, recipients);
  document.setIn(["sops", "age"], document.createNode(age));
  return edited(file, open.text, document, [{ place: ["sops", "age"], value: printNewSopsYaml({ age }) }]);
}
