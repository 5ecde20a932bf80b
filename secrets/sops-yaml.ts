/** The text of a SOPS file as a YAML document, strictly, with its values in the order in which they stand. */
import type { Document, Scalar, YAMLMap } from "yaml";
import { sopsError } from "./sops-metadata";
import { isEncryptedValue } from "./sops-values";

/** A value and where it stands. */
export interface Leaf {
  place: readonly string[];
  node: Scalar<string>;
}

type Parsed = Document<YAMLMap>;

/** @throws HomelabError E_SECRET_FORMAT; never with the text itself, which may hold a secret in plain */
export function parseSopsYaml(file: string, text: string): Parsed {
  const { isMap, parseDocument } = require("yaml") as typeof import("yaml");
  const damaged = (message: string) => sopsError("E_SECRET_FORMAT", file, message, "restore it from Git");
  let document: ReturnType<typeof parseDocument>;
  try {
    document = parseDocument(text, { prettyErrors: false });
  } catch {
    // The parser's own text may quote the file.
    throw damaged("it is not a YAML map, or it is cut off");
  }
  if (document.errors.some(({ code }) => code === "DUPLICATE_KEY")) throw damaged("a key stands in it twice");
  if (document.errors.length > 0 || !isMap(document.contents)) throw damaged("it is not a YAML map, or it is cut off");
  return document as unknown as Parsed;
}

/**
 * The section that sops writes at the end of a file, followed only by its indented lines. Each line can match in one way only, so there is no
 * backtracking over a file of another form.
 */
const METADATA = /(?<=^|\n)sops:[ \t]*\n(?:[ \t][^\n]*(?:\n|$)|\n)*$/;

/** For callers that need only the keys: the metadata is two thirds of a file and of the time to parse it. */
export const withoutMetadata = (text: string): string => text.replace(METADATA, "") || text;

/**
 * All values but those of the `sops` section.
 * @throws HomelabError E_SECRET_PLAIN for a value that stands in the file unencrypted: somebody committed a secret as it is;
 * E_SECRET_SHAPE for a null
 */
export function leavesOf(file: string, document: Parsed): Leaf[] {
  const { isMap, isScalar } = require("yaml") as typeof import("yaml");
  const leaves: Leaf[] = [];
  const descend = (map: YAMLMap, above: readonly string[]): void => {
    for (const { key, value } of map.items) {
      const place = [...above, String(isScalar(key) ? key.value : key)];
      if (above.length === 0 && place[0] === "sops") continue;
      if (isMap(value)) descend(value, place);
      else if (isScalar(value) && value.value === null)
        throw sopsError(
          "E_SECRET_SHAPE",
          file,
          `${place.join(".")} is null, which SOPS does not encrypt and Vault cannot hold`,
          'give it a value or "", or remove the key: sops edit <file>',
        );
      else if (isScalar(value) && typeof value.value === "string" && (value.value === "" || isEncryptedValue(value.value))) {
        leaves.push({ place, node: value as Scalar<string> });
      } else {
        throw sopsError(
          "E_SECRET_PLAIN",
          file,
          `the value of ${place.join(".")} is not encrypted`,
          "encrypt the file with sops, and replace the value if it was committed: it is no longer secret",
        );
      }
    }
  };
  descend(document.contents as YAMLMap, []);
  return leaves;
}

const INDENT = 4;
const COMMENT_LINE = /^( *)(#.*)$/;

/** Spaces of one level of indentation. */
function indentOf(text: string): number {
  return /^sops:\n( +)/m.exec(text)?.[1]?.length ?? INDENT;
}

/** SOPS indents the lines of a data key by two spaces from `enc`, the library by a whole level: each edit would change all these lines. */
const asSopsPrints = (text: string): string =>
  text.replace(/^( +)enc: \|\n(?:\1 .*\n)+/gm, (block, spaces: string) =>
    block
      .split("\n")
      .map((line, index) => (index === 0 || line === "" ? line : `${spaces}  ${line.trimStart()}`))
      .join("\n"),
  );

/** A new file's text. */
export function printNewSopsYaml(tree: object): string {
  const { stringify } = require("yaml") as typeof import("yaml");
  return asSopsPrints(stringify(tree, { lineWidth: 0, indent: INDENT }));
}

/**
 * As SOPS lays out its files: four spaces, no line broken.
 * @param text that the document was parsed from: comments keep the indentation that they have there. SOPS binds an encrypted comment to
 * the map that it is in; the library moves one at the end of the file into the innermost map above it, where it no longer decrypts.
 */
export function printSopsYaml(document: Parsed, text: string): string {
  const levels = new Map<string, number[]>();
  for (const line of text.split("\n")) {
    const [, spaces, comment] = COMMENT_LINE.exec(line) ?? [];
    if (spaces !== undefined && comment !== undefined) levels.set(comment, [...(levels.get(comment) ?? []), spaces.length / indentOf(text)]);
  }
  return asSopsPrints(document.toString({ lineWidth: 0, indent: INDENT }))
    .split("\n")
    .map((line) => {
      const comment = COMMENT_LINE.exec(line)?.[2];
      const level = comment === undefined ? undefined : levels.get(comment)?.shift();
      return comment === undefined || level === undefined ? line : " ".repeat(level * INDENT) + comment;
    })
    .join("\n");
}
