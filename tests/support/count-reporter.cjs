// The last lines of a run: what is left for the nightly run, what was skipped and why, then the line that CI reads: `N passed, N failed,
// N skipped`. If HOMELAB_TEST_TOTALS names a file, the counts of each test file are appended to it instead, so that a run that is
// interrupted keeps its counts so far. tests/support/print-totals.cjs adds up the counts of several runs.
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const { describeSkipped, describeLeft, totalLine } = require("./totals.cjs");

const isSkipped = (test) => test.status === "pending" || test.status === "todo";

function countsOf(file) {
  return {
    passed: file.numPassingTests,
    // A file that could not be loaded has no tests to count, and must not look like success.
    failed: file.numFailingTests + (file.testExecError ? 1 : 0),
    skipped: file.testResults.filter(isSkipped).map((t) => t.fullName),
  };
}

module.exports = class CountReporter {
  totals = process.env.HOMELAB_TEST_TOTALS;

  say(line) {
    if (this.totals) fs.appendFileSync(this.totals, `${JSON.stringify(line)}\n`);
  }

  onTestFileStart(test) {
    this.say({ begun: path.relative(process.cwd(), test.path) });
  }

  onTestFileResult(test, result) {
    this.say({ ended: path.relative(process.cwd(), test.path), ...countsOf(result) });
  }

  onRunComplete(_contexts, r) {
    const files = r.testResults.map(countsOf);
    const names = r.testResults.flatMap((file) => file.testResults.map((t) => t.fullName));
    // Synchronously, since jest ends the process (forceExit) before the next turn of the event loop.
    fs.writeSync(1, describeLeft(names) + describeSkipped(files.flatMap((f) => f.skipped)) + (this.totals ? "" : totalLine(files)));
  }
};
