/** `runtime.options.nodeargs` of Pulumi.yaml: one text, split as a shell splits words. */
import { DeploymentError } from "../errors";

/** Blanks separate words, unless they are quoted or follow a backslash. @throws DeploymentError for a quote that is not closed */
export function splitNodeArgs(text: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote: string | undefined;
  for (let at = 0; at < text.length; at++) {
    const char = text[at] ?? "";
    if (char === "\\" && quote !== "'" && at + 1 < text.length) {
      const next = text[++at] ?? "";
      // Between double quotes, a backslash only escapes a double quote or a backslash.
      word = (word ?? "") + (quote === undefined || next === '"' || next === "\\" ? next : `\\${next}`);
    } else if (quote === undefined ? char === '"' || char === "'" : char === quote) {
      quote = quote === undefined ? char : undefined;
      word ??= "";
    } else if (quote === undefined && /\s/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? "") + char;
  }
  if (quote !== undefined) throw new DeploymentError(`nodeargs of Pulumi.yaml has a quote (${quote}) that is not closed: ${text}`);
  return word === undefined ? words : [...words, word];
}
