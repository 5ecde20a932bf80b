/**
 * What must never be committed: a secret file in plain, one that not all of its readers can open, a private key. Works on
 * names and texts, so that it can look at a folder or at what is staged; needs no private key.
 */
import * as path from "node:path";
import { asError, HomelabError } from "../common/errors";
import { recipientsFor } from "./sops-config";
import { parseMetadata } from "./sops-metadata";
import { leavesOf, parseSopsYaml } from "./sops-yaml";

export interface Problem {
  file: string;
  message: string;
}

const AGE_KEY = /AGE-SECRET-KEY-1[A-Z0-9]{20,}/i;
/** The mark of a key that is public on purpose: on the key's own line, or in a comment right above it. */
const LAB_ONLY = /\blab-only\b/i;
const COMMENT = /^\s*(#|\/\/|\*|\/\*)/;
const DATA = /\.(ya?ml|json|env|ini|txt|pem|key)$/i;
const MAX_BYTES = 1024 * 1024;

/** Whether a path from the checkout's folder is one that only an encrypted file may have. */
const mustBeEncrypted = (file: string): boolean => file.startsWith("secrets/") && DATA.test(file);

/** Whether the text has a private key that is not marked as lab-only. */
function holdsUnmarkedKey(text: string): boolean {
  const lines = text.split("\n");
  return lines.some((line, index) => {
    if (!AGE_KEY.test(line) || LAB_ONLY.test(line)) return false;
    let above = index - 1;
    while (above >= 0 && COMMENT.test(lines[above] ?? "")) {
      if (LAB_ONLY.test(lines[above] ?? "")) return false;
      above -= 1;
    }
    return true;
  });
}

function problemsOf(file: string, bytes: Buffer, configFile: string | undefined): string[] {
  if (bytes.length > MAX_BYTES) return mustBeEncrypted(file) ? ["it is larger than 1 MiB, and no SOPS file"] : [];
  const text = bytes.toString("latin1");
  if (holdsUnmarkedKey(text)) return ["it holds a private age key; one that is public on purpose has a comment with the word lab-only on its line or above it"];
  if (!mustBeEncrypted(file)) return [];
  if (bytes.includes(0)) return ["it is binary, and no SOPS file"];
  if (!file.endsWith(".yaml")) return ["it is no .yaml file: only encrypted .yaml files belong here"];
  const document = parseSopsYaml(file, bytes.toString("utf8"));
  const { age } = parseMetadata(file, (document.toJS({ maxAliasCount: 0 }) as Record<string, unknown>)["sops"], text);
  leavesOf(file, document);
  const has = new Set(age.map(({ recipient }) => recipient));
  const wanted = recipientsFor(file, configFile);
  const missing = wanted.filter((recipient) => !has.has(recipient));
  const extra = [...has].filter((recipient) => !wanted.includes(recipient));
  return [
    ...(missing.length > 0 ? [`it is not encrypted to ${missing.join(", ")} of .sops.yaml: run homelab secrets recipients`] : []),
    ...(extra.length > 0 ? [`it is still encrypted to ${extra.join(", ")}, which .sops.yaml does not name: run homelab secrets recipients, then rotate`] : []),
  ];
}

/**
 * @param file path from the checkout's folder, with `/`
 * @param configFile `.sops.yaml`; default: the checkout's
 */
export function checkFile(file: string, bytes: Buffer, configFile?: string): Problem[] {
  const name = path.posix.normalize(file);
  try {
    return problemsOf(name, bytes, configFile).map((message) => ({ file: name, message }));
  } catch (thrown) {
    if (!(thrown instanceof HomelabError)) throw thrown;
    return [{ file: name, message: asError(thrown).message.replace(`${name}: `, "") }];
  }
}
