// Closes a run: what is left for the night, what was skipped and why, then the one line that CI reads: `N passed, N failed, N skipped`. Where HOMELAB_TEST_TOTALS
// names a file, the counts go there instead, for tests/support/print-totals.cjs to add up over several runs.
"use strict";
const fs = require("node:fs");
const { describeSkipped, describeLeft, totalLine } = require("./totals.cjs");

module.exports = class CountReporter {
  onRunComplete(_contexts, r) {
    const tests = r.testResults.flatMap((file) => file.testResults);
    const counts = {
      passed: r.numPassedTests,
      // A file that could not be loaded has no tests to count, and must not look like success.
      failed: r.numFailedTests + r.testResults.filter((t) => t.testExecError).length,
      skipped: tests.filter((t) => t.status === "pending" || t.status === "todo").map((t) => t.fullName),
    };
    const file = process.env.HOMELAB_TEST_TOTALS;
    if (file) fs.appendFileSync(file, `${JSON.stringify(counts)}\n`);
    // Written at once: jest ends the process (forceExit) before anything that waits for the next turn.
    fs.writeSync(1, describeLeft(tests.map((t) => t.fullName)) + describeSkipped(counts.skipped) + (file ? "" : totalLine([counts])));
  }
};
