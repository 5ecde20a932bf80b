// The order of `make test` and `make test-rehearsals`: long files start first, so that at the end not one core alone is busy. Jest itself
// knows the duration of files only where they ran before, and otherwise sorts by size. But the files that take longest are short.
"use strict";
const fs = require("node:fs");
const { REHEARSALS } = require("./rehearsals.cjs");
const { sequencerBy } = require("./sequencer.cjs");

/** The files that take more than ten seconds of processor time with all processes that they start (bench/tests/run.mjs), the longest first. */
const LONGEST = [
  "tests/rehearsal/small",
  "tests/conformance/engine/engine",
  "tests/contract/vault/lab",
  "tests/orchestrator/take-over",
  "tests/automation/policies",
  "orchestrator/apps/promote",
  "tests/conformance/engine/in-one-process",
  "tests/program/inputs",
  "tests/automation/stack",
  "tests/secrets/vault-bad-input",
  "tests/lifecycle/failure-processes",
  "tests/build/edits",
  "lab/main",
  "tests/backends/migrate",
  "stacks/program",
  "tests/hermetic",
  "tests/contract/providers/unanswered",
  "tests/contract/providers/inputs",
  "site/tests/program/registrations",
  "tests/program/postgres-sql",
  "tests/program/module-changes",
  "tests/automation/settings-secrets",
  "tests/automation/questions",
];
const ORDER = [...REHEARSALS.map((name) => `tests/${name}`), ...LONGEST];
const placeOf = (file) => {
  const at = ORDER.findIndex((name) => file.replaceAll("\\", "/").endsWith(`/${name}.test.ts`));
  return at < 0 ? ORDER.length : at;
};

module.exports = sequencerBy((a, b) => placeOf(a.path) - placeOf(b.path) || fs.statSync(b.path).size - fs.statSync(a.path).size);
