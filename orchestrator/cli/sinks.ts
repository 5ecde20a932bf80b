/**
 * The only way out of the process: everything that is printed, and every file for people to read, is written and redacted here.
 * tests/secrets/sinks.test.ts names the few places that write in another way, and why.
 */
import { writeFileAtomic } from "../../common/files";
import type { Redactor } from "../../common/redact";

export type Writer = (text: string) => void;

export interface Sinks {
  out: Writer;
  /** Without redaction: only for secrets that the user asked to see by name. */
  rawOut: Writer;
  err: Writer;
  /** Replaces a file, whole or not at all. @param mode default 0600 */
  writeFile(file: string, content: string, mode?: number): void;
}

export function createSinks(redactor: Redactor, stdout: { write(text: string): unknown }, stderr: { write(text: string): unknown }): Sinks {
  return {
    out: (text) => void stdout.write(redactor.redact(text)),
    rawOut: (text) => void stdout.write(text),
    err: (text) => void stderr.write(redactor.redact(text)),
    writeFile: (file, content, mode) => writeFileAtomic(file, redactor.redact(content), mode),
  };
}
