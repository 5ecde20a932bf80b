// Adds up the counts of runs in a file with one JSON object a line: node tests/support/print-totals.cjs FILE
"use strict";
const fs = require("node:fs");
const { describeSkipped, totalLine } = require("./totals.cjs");

const lines = fs
  .readFileSync(process.argv[2] ?? "", "utf8")
  .split("\n")
  .filter((line) => line !== "")
  .map((line) => JSON.parse(line));
const counts = lines.filter((line) => line.passed !== undefined);
// A test file that began and has no result counts as failed.
const cut = lines.flatMap((line) => line.begun ?? []);
for (const { ended } of counts) if (cut.includes(ended)) cut.splice(cut.indexOf(ended), 1);
const failed = cut.map(() => ({ passed: 0, failed: 1, skipped: [] }));
process.stdout.write(
  describeSkipped(counts.flatMap((run) => run.skipped)) + cut.map((file) => `cut before it ended: ${file}\n`).join("") + totalLine([...counts, ...failed]),
);
