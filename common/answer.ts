/** Reads the answer of a server or of another program strictly: an answer of another form is the fault of the sender, not a bug of ours. */
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
 * The error that it throws has no cause: the parser's own error quotes the text, which may hold a secret.
 * @throws HomelabError for a text that is no JSON
 */
export function answeredJson(text: string, of: AnswerOf): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw refused(of, text.trim() === "" ? "is empty" : "is no JSON");
  }
}

/** @throws HomelabError for a text that is no JSON or has another form. It names the first field that differs, without its value. */
export function answered<T>(schema: z.ZodType<T>, text: string, of: AnswerOf): T {
  const parsed = schema.safeParse(answeredJson(text, of));
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0] ?? { path: [], message: "" };
  throw refused(of, `is not of the expected form: ${path.length === 0 ? "" : `${path.map(String).join(".")}: `}${message}`);
}
