/** Bodies of requests, and Vault's words for those that are no JSON object: it checks the brackets first, and then the rest. */
import { badRequest, VaultError } from "./errors";

const CLOSES: Record<string, string> = { "}": "{", "]": "[" };
const malformed = (message: string): VaultError => new VaultError(500, message);

/** Why brackets do not fit, or undefined. */
function bracketsOf(text: string): VaultError | undefined {
  const open: string[] = [];
  let ended = false;
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"?|[{}[\]]|[^\s{}[\]"]+/g)) {
    if (token.startsWith('"') && !/^"(?:[^"\\]|\\.)*"$/.test(token)) return malformed("malformed JSON, unclosed string");
    if (ended) return malformed(`invalid character '${token.charAt(0)}' after top-level value`);
    if (token === "{" || token === "[") open.push(token);
    else if (token === "}" || token === "]") {
      if (open.pop() !== CLOSES[token]) return malformed(`malformed JSON: mismatched closing delimiter '${token}'`);
      ended = open.length === 0;
    }
  }
  return open.length > 0 ? malformed("malformed JSON, unclosed containers") : undefined;
}

/** @throws VaultError */
export function parseBody(text: string): Record<string, unknown> {
  if (text.trim() === "") return {};
  const refused = (why: string): VaultError => badRequest(`error parsing JSON: failed to parse JSON input: ${why}`);
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw bracketsOf(text) ?? refused("invalid character in request body");
  }
  if (parsed === null) return {};
  if (typeof parsed === "object" && !Array.isArray(parsed)) return parsed as Record<string, unknown>;
  const kind = Array.isArray(parsed) ? "array" : typeof parsed === "boolean" ? "bool" : typeof parsed;
  throw refused(`json: cannot unmarshal ${kind} into Go value of type map[string]interface {}`);
}
