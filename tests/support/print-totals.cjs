// Adds up the runs whose counts are in a file (one JSON a line): node tests/support/print-totals.cjs FILE
"use strict";
const fs = require("node:fs");
const { describeSkipped, totalLine } = require("./totals.cjs");

const runs = fs
  .readFileSync(process.argv[2] ?? "", "utf8")
  .split("\n")
  .filter((line) => line !== "")
  .map((line) => JSON.parse(line));
process.stdout.write(describeSkipped(runs.flatMap((run) => run.skipped)) + totalLine(runs));
