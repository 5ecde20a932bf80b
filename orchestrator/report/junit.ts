/**
 * The report as JUnit's XML, which CI systems read: a suite for the run, a case for each stack. The form is the one of Jenkins' JUnit
 * plugin, which GitLab and GitHub's actions read as well.
 */
import { failureLines } from "./failure-text";
import type { RunReport, StackReport } from "./report-schema";

/** Characters that XML 1.0 does not allow. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is taken out
const NOT_XML = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/gu;

const escaped = (text: string): string =>
  text
    .replaceAll(NOT_XML, "\ufffd")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("\n", "&#10;");

const seconds = (ms: number): string => (ms / 1000).toFixed(3);

function body(stack: StackReport): string {
  if (stack.status === "failed" || stack.status === "cancelled")
    return `<failure type="${escaped(stack.error?.code ?? stack.status)}" message="${escaped(stack.error?.message.split("\n")[0] ?? stack.status)}">${escaped(failureLines(stack).join("\n"))}</failure>`;
  if (stack.status === "skipped") return `<skipped message="${escaped(`${stack.blame ?? "another stack"} failed`)}"/>`;
  return stack.status === "unaffected" ? `<skipped message="${escaped(stack.why ?? "unaffected")}"/>` : "";
}

export function renderJUnit({ operation, startedAt, duration, stacks }: RunReport): string {
  const count = (...of: StackReport["status"][]): number => stacks.filter(({ status }) => of.includes(status)).length;
  const facts = `tests="${stacks.length}" failures="${count("failed", "cancelled")}" skipped="${count("skipped", "unaffected")}" errors="0" time="${seconds(duration)}"`;
  const cases = stacks.map(
    (stack) => `<testcase classname="homelab.${operation}" name="${escaped(stack.stack)}" time="${seconds(stack.duration ?? 0)}">${body(stack)}</testcase>`,
  );
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites ${facts}><testsuite name="homelab ${operation}" timestamp="${startedAt.replace(/\.\d+Z$/, "")}" ${facts}>\n${cases.join("\n")}\n</testsuite></testsuites>\n`;
}
