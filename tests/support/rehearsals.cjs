// The test files that are whole rehearsals. They build a large part of a homelab in a lab, some several times, interrupt every role
// again and again, or run many commands as processes, and take up to minutes each. `make test` leaves them to `make test-rehearsals`; `.ci/run`, the pipelines and a plain
// `npx jest` run both.
"use strict";

/** Paths below tests/. The longest come first, by processor time with all processes that they start (bench/tests/run.mjs). */
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
  "rehearsal/hand-over",
  "orchestrator/small-runs",
  "orchestrator/broken-runs",
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
