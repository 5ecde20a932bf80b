/**
 * Each step of each job of both hosts fails once. every-step.txt, which people edit, has a row for what happens then. The test fails for a
 * new step without a row, a job that would continue, a report that would be lost, and a failure that would not be reported.
 * broken-steps.test.ts tests that the commands themselves fail in the hosts' shells, with the exit code and the message.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { renderAll } from "../../pipelines/files";
import { upPipeline } from "../../pipelines/gitlab-up";
import { type Row, rowsOf } from "./host-runs";

/** With the pipeline that GitLab's plan leaves for the approval. */
const allFiles = () => ({ ...renderAll(), ".gitlab/child-of-plan.yml": upPipeline({ changed: true, pipeline: "1" }) });
const TABLE = path.join(__dirname, "every-step.txt");

/** The rows in the form of the table: each job, and below it for each step the job's result, the later steps and the other jobs that run. */
function tableOf(rows: readonly Row[]): string {
  const jobs = new Map<string, string[]>();
  for (const { job, step, result, goesOn, others } of rows) {
    const seen = [result, ...(goesOn === "" ? [] : [`then ${goesOn}`]), ...(others === "" ? [] : [`tells ${others}`])];
    jobs.set(job, [...(jobs.get(job) ?? []), `  ${step}\n    ${seen.join("; ")}`]);
  }
  return [...jobs].map(([job, lines]) => `${job}\n${lines.join("\n")}\n`).join("\n");
}

/** The sections of the table by job, without its head. */
const sections = (text: string): Map<string, string> =>
  new Map(
    text
      .split("\n\n")
      .filter((part) => !part.startsWith("#"))
      .map((part) => [part.slice(0, part.indexOf("\n")), part.trimEnd()]),
  );

const kept = sections(fs.readFileSync(TABLE, "utf8"));
const made = sections(tableOf(rowsOf(allFiles())));

test.each([...made])("%s: each step fails as its row says", (job, rows) => {
  expect(rows).toBe(kept.get(job) ?? `every-step.txt has no job ${job}`);
});

test("the table has no job that is gone", () => {
  expect([...kept.keys()].filter((job) => !made.has(job))).toEqual([]);
});

const rows = rowsOf(allFiles());

test("a failure is none of the job only where a download may have nothing, and a scan's and a report's upload comes after it", () => {
  const passing = rows.filter(({ result }) => result !== "failure");
  expect(passing.map(({ job, step }) => `${job} ${step}`)).toEqual([
    "comment.yml/comment actions/download-artifact",
    "drift.yml/drift-issue actions/download-artifact",
  ]);
  for (const [job, step, goesOn, others] of [
    ["preview.yml/preview", "make -C base", "actions/upload-artifact", "comment.yml/comment"],
    ["gitlab:ci.yml/preview", "make preview-change", "keeps preview/report.json preview/failure.txt", "comment"],
    ["drift.yml/drift", "make drift-report", "actions/upload-artifact", "drift-issue"],
    ["gitlab:ci.yml/drift", "make drift-report", "keeps drift/drift.json drift/failure.txt", "drift-issue"],
    ["up.yml/up", "npx --no-install homelab up", "actions/upload-artifact", ""],
    ["gitlab:child-of-plan.yml/up", "npx --no-install homelab up", "keeps up/report.json up/summary.md", ""],
    ["security.yml/trivy", "aquasecurity/trivy-action", "github/codeql-action/upload-sarif", ""],
    ["build-and-push.yml/build", "aquasecurity/trivy-action (Scan)", "github/codeql-action/upload-sarif", ""],
    ["application.yml/stg-tests", "./.github/workflows/cypress.yml", "", "stg-back"],
    ["gitlab:application.yml/stg-tests", "extends .cypress-template", "", "stg-back"],
  ] as const)
    expect(rows.find((row) => row.job === job && row.step.startsWith(step))).toMatchObject({ result: "failure", goesOn, others });
});

/** The rows that differ from the table after one change in a file. */
function changed(file: string, from: string | RegExp, to: string): string[] {
  const files: Record<string, string> = allFiles();
  const text = files[file] ?? "";
  expect(text).toMatch(from);
  const other = tableOf(rowsOf({ ...files, [file]: text.replace(from, to) }));
  return [...sections(other)].flatMap(([job, now]) => (now === kept.get(job) ? [] : [job]));
}

test.each([
  ["a new step", ".github/workflows/checks.yml", "- run: npm run knip", "- run: npm run knip\n      - run: npm run duplicates", "checks.yml/check"],
  ["a step that is gone", ".github/workflows/checks.yml", "      - run: npm run knip\n", "", "checks.yml/check"],
  [
    "a step whose failure is passed over",
    ".github/workflows/checks.yml",
    "- run: npm run knip",
    "- continue-on-error: true\n        run: npm run knip",
    "checks.yml/check",
  ],
  ["a report that is kept after a success alone", ".github/workflows/preview.yml", "if: always()", "if: success()", "preview.yml/preview"],
  ["findings that are uploaded where there are none", ".github/workflows/security.yml", "if: always() && ", "if: ", "security.yml/trivy"],
  ["a comment on what went well alone", ".github/workflows/comment.yml", "types:\n      - completed", "types:\n      - requested", "preview.yml/preview"],
  [
    "an issue of a look that went well alone",
    ".github/workflows/drift.yml",
    "always() && needs.drift.result != 'skipped'",
    "needs.drift.result == 'success'",
    "drift.yml/drift",
  ],
  ["a push of what the scan refused", ".github/workflows/build-and-push.yml", "if: inputs.push", "if: always() && inputs.push", "build-and-push.yml/build"],
  ["a rollout after an up that failed", ".github/workflows/up.yml", /\\"skipped\\"/, '\\"skipped\\", \\"failure\\"', "up.yml/up"],
  [
    "a production whose tests failed and that stays",
    ".github/workflows/application.yml",
    "needs.prod-tests.result == 'failure')",
    "false)",
    "application.yml/prod-tests",
  ],
  [
    "a stage that begins though the one before failed",
    ".github/workflows/application.yml",
    "name: To stg\n",
    "name: To stg\n    if: always()\n",
    "application.yml/dev-tests",
  ],
  [
    "GitLab's report of a preview that failed",
    ".gitlab-ci.yml",
    /(make preview-change\n {2}artifacts:\n {4}when:) always/,
    "$1 on_success",
    "gitlab:ci.yml/preview",
  ],
  ["GitLab's up whose failure passes", ".gitlab/child-of-plan.yml", "allow_failure: false", "allow_failure: true", "gitlab:child-of-plan.yml/up"],
  [
    "GitLab's comment on what went well alone",
    ".gitlab-ci.yml",
    "when: always\n  environment:\n    name: comment",
    "when: on_success\n  environment:\n    name: comment",
    "gitlab:ci.yml/preview",
  ],
  ["GitLab's way back", ".gitlab/application.yml", "when: on_failure", "when: manual", "gitlab:application.yml/dev-delivered"],
] as const)("the table sees %s", (_, file, from, to, job) => {
  expect(changed(file, from, to)).toContain(job);
});
