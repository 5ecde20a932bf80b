import type { RecordedCase } from "./recorded-case";
import { EMBEDDED } from "./recorded-case";
import { CASES, holds, sampleOf } from "./recorded-cases";

/** HOMELAB_ALL_CASES=1 (make nightly): all of them; else in-one-process.test.ts has the others. */
const RUN = process.env["HOMELAB_ALL_CASES"] === "1" ? CASES : sampleOf(CASES);
const LEFT = CASES.length - RUN.length;

/** What the Pulumi CLI 3.260 did, step by step; the embedded engine does the same, as processes of its own. */
describe(`recorded cases of the Pulumi CLI ${LEFT === 0 ? "" : `[night: ${LEFT} of ${CASES.length} recorded cases as processes of their own]`}`, () => {
  // Each case has a folder and processes of its own.
  test.concurrent.each(RUN.map((recorded): [string, RecordedCase] => [recorded.name, recorded]))("%s", (_name, recorded) => holds(EMBEDDED, recorded), 600_000);
});
