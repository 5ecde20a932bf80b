// The order of `make test`: what takes minutes begins first, so that the last of them do not run on one core alone. Jest itself knows how
// long a file takes only where it ran before, and else goes by size; the longest of all are short texts.
"use strict";
const fs = require("node:fs");
const { sequencerBy } = require("./sequencer.cjs");

/** What takes more than 45 seconds on two cores, the longest first. */
const LONGEST = [
  "rehearsal/rebuild",
  "conformance/engine/engine",
  "automation/policies",
  "orchestrator/pull-request",
  "contract/providers/unanswered",
  "orchestrator/states",
  "rehearsal/other-settings",
  "roles/all-in-lab",
  "rehearsal/vault-rebuilt",
  "rehearsal/another-site",
  "rehearsal/resume",
  "secrets/commands",
  "orchestrator/killed-and-used",
  "secrets/vault-bad-input",
  "orchestrator/gate",
];
const placeOf = (file) => {
  const at = LONGEST.findIndex((name) => file.replaceAll("\\", "/").endsWith(`/tests/${name}.test.ts`));
  return at < 0 ? LONGEST.length : at;
};

module.exports = sequencerBy((a, b) => placeOf(a.path) - placeOf(b.path) || fs.statSync(b.path).size - fs.statSync(a.path).size);
