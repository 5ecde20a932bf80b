/** What a server or a program outside answered, read once and strictly: an answer of another form is its failure, and no bug of ours. */
import type { z } from "zod";
import { HomelabError } from "./errors";

export interface AnswerOf {
  /** Who answered what: `GET /nodes of https://10.0.0.2:8006/`. */
  from: string;
  /** What the reader should do next. */
  hint: string;
  /** Default: E_ANSWER. */
  code?: string;
  /** Default: `from`. */
  subject?: string;
}

const refused = ({ from, hint, code = "E_ANSWER", subject = from }: AnswerOf, why: string): HomelabError =>
  new HomelabError(code, `${from}: the answer ${why}`, { subject, hint });

/**
 * Without the parser's own error as the cause: it quotes the text, which may hold a secret.
 * @throws HomelabError for a text that is no JSON
 */
export function answeredJson(text: string, of: AnswerOf): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw refused(of, text.trim() === "" ? "is empty" : "is no JSON");
  }
}

/** @throws HomelabError for a text that is no JSON, or of another form: with the first place that differs, and not its value */
export function answered<T>(schema: z.ZodType<T>, text: string, of: AnswerOf): T {
  const parsed = schema.safeParse(answeredJson(text, of));
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0] ?? { path: [], message: "" };
  throw refused(of, `is not of the expected form: ${path.length === 0 ? "" : `${path.map(String).join(".")}: `}${message}`);
}
