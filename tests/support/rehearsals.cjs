// Which test files are whole rehearsals: they build much of a homelab in a lab, some of them several times, or every kind of its hosts
// with one interruption after the other, and take up to minutes each.
// `make test` leaves them to `make test-rehearsals`; `.ci/run` and the pipelines run both. Jest that is called by itself has all.
"use strict";

/** Below tests/, the longest first, by the processor time that they and all that they start take (bench/tests/run.mjs). */
const REHEARSALS = [
  "rehearsal/rebuild",
  "rehearsal/from-bare-hosts",
  "orchestrator/states",
  "rehearsal/another-site",
  "orchestrator/pull-request",
  "rehearsal/resume",
  "rehearsal/vault-rebuilt",
  "rehearsal/other-settings",
  "orchestrator/killed-and-used",
  "rehearsal/another-site-rehearsed",
  "rehearsal/faults",
  "orchestrator/gate",
  "roles/interrupted",
];

const PARTS = ["quick", "rehearsals"];

/**
 * Which files a part of the tests has, as Jest's configuration says it.
 * @param part `quick`, `rehearsals`, or none (an empty variable is none) for all
 * @throws Error for another one
 */
function filesOf(part) {
  if (part !== undefined && part !== "" && !PARTS.includes(part)) throw new Error(`HOMELAB_TEST_PART is one of ${PARTS.join(", ")}, not ${part}`);
  if (part === "rehearsals") return { testMatch: REHEARSALS.map((name) => `**/tests/${name}.test.ts`) };
  const left = part === "quick" ? REHEARSALS.map((name) => `!**/tests/${name}.test.ts`) : [];
  return { testMatch: ["**/*.test.ts", "!**/*.real.test.ts", ...left] };
}

module.exports = { REHEARSALS, filesOf };
