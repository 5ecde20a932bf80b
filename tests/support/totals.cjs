// The closing lines of test runs, from their counts.
"use strict";

/** Lines with the number of skipped tests for each reason. The reason is in the title of the group (see real-parts.ts). */
function describeSkipped(names) {
  const reasons = new Map();
  for (const name of names) {
    const reason = /\[skipped: (.*?)\]/.exec(name)?.[1] ?? `no reason given: ${name}`;
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  }
  return [...reasons].map(([reason, count]) => `skipped ${count} ${count === 1 ? "test" : "tests"}: ${reason}\n`).join("");
}

/** Lines with what a run leaves to `make nightly`. That is in the title of a group: `[night: 110 more cases]`. */
const describeLeft = (names) =>
  [...new Set(names.flatMap((name) => /\[night: (.*?)\]/.exec(name)?.[1] ?? []))].map((left) => `left for the night: ${left}\n`).join("");

const sum = (runs, of) => runs.reduce((total, run) => total + of(run), 0);

function totalLine(runs) {
  return `${sum(runs, (r) => r.passed)} passed, ${sum(runs, (r) => r.failed)} failed, ${sum(runs, (r) => r.skipped.length)} skipped\n`;
}

module.exports = { describeLeft, describeSkipped, totalLine };
