// The order of `make test` and `make test-rehearsals`: what takes long begins first, so that the last of them do not run on one core
// alone. Jest itself knows how long a file takes only where it ran before, and else goes by size; the longest of all are short texts.
"use strict";
const fs = require("node:fs");
const { REHEARSALS } = require("./rehearsals.cjs");
const { sequencerBy } = require("./sequencer.cjs");

/** By the processor time that they and all that they start take (bench/tests/run.mjs); the longest first, down to ten seconds. */
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
