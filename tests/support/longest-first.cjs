// The order of `make test` and `make test-rehearsals`: what takes long begins first, so that the last of them do not run on one core
// alone. Jest itself knows how long a file takes only where it ran before, and else goes by size; the longest of all are short texts.
"use strict";
const fs = require("node:fs");
const { REHEARSALS } = require("./rehearsals.cjs");
const { sequencerBy } = require("./sequencer.cjs");

/** By the processor time that they and all that they start take (bench/tests/run.mjs); the longest first, down to ten seconds. */
const LONGEST = [
  "conformance/engine/engine",
  "rehearsal/small",
  "conformance/engine/in-one-process",
  "roles/all-in-lab",
  "automation/policies",
  "secrets/commands",
  "secrets/vault-bad-input",
  "orchestrator/gate",
  "contract/providers/inputs",
  "contract/providers/unanswered",
  "hermetic",
  "automation/stack",
  "backends/migrate",
  "lifecycle/failure-processes",
  "automation/settings-secrets",
  "automation/questions",
];
const ORDER = [...REHEARSALS, ...LONGEST];
const placeOf = (file) => {
  const at = ORDER.findIndex((name) => file.replaceAll("\\", "/").endsWith(`/tests/${name}.test.ts`));
  return at < 0 ? ORDER.length : at;
};

module.exports = sequencerBy((a, b) => placeOf(a.path) - placeOf(b.path) || fs.statSync(b.path).size - fs.statSync(a.path).size);
