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
 * All values but those of the `sops` section.
 * @throws HomelabError E_SECRET_PLAIN for a value that stands in the file unencrypted: somebody committed a secret as it is
 */
export function leavesOf(file: string, document: Parsed): Leaf[] {
  const { isMap, isScalar } = require("yaml") as typeof import("yaml");
  const leaves: Leaf[] = [];
  const descend = (map: YAMLMap, above: readonly string[]): void => {
    for (const { key, value } of map.items) {
      const place = [...above, String(isScalar(key) ? key.value : key)];
      if (above.length === 0 && place[0] === "sops") continue;
      if (isMap(value)) descend(value, place);
      else if (isScalar(value) && typeof value.value === "string" && (value.value === "" || isEncryptedValue(value.value))) {
        leaves.push({ place, node: value as Scalar<string> });
      } else {
        throw sopsError(
          "E_SECRET_PLAIN",
          file,
          `the value of ${place.join(".")} is not encrypted`,
          "encrypt the file with sops, and treat the value as burnt if it was committed",
        );
      }
    }
  };
  descend(document.contents as YAMLMap, []);
  return leaves;
}

/** As SOPS lays out its files: four spaces, no line broken. */
export const printSopsYaml = (document: Parsed): string => document.toString({ lineWidth: 0, indent: 4 });
