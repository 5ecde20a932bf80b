/**
 * The value of a text that is JSON as `JSON.stringify` writes it; undefined for every other text. Such a text is YAML too, and a YAML
 * parser takes forty times as long for it. A text with blanks between its tokens, or with a key twice, has another length when it is
 * written again: it is left to a YAML parser.
 */
export function compactJson(text: string): unknown {
  if (!text.startsWith("{") && !text.startsWith("[")) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return JSON.stringify(value).length === text.length ? value : undefined;
  } catch {
    return undefined;
  }
}
