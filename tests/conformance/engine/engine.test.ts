import * as fs from "node:fs";
import * as path from "node:path";
import { expectedOf } from "./deliberate";
import { CaseRun, type RecordedCase } from "./recorded-case";

const PULUMI = path.join(__dirname, "../../../engine/bin/pulumi");
/** `more-cases` run with HOMELAB_ALL_CASES=1: they take a few minutes more. */
const FOLDERS = ["cases", ...(process.env["HOMELAB_ALL_CASES"] === "1" ? ["more-cases"] : [])];

/** What the Pulumi CLI 3.260 did, step by step; the embedded engine does the same, but for what is listed as deliberate. */
describe("recorded cases of the Pulumi CLI", () => {
  const cases = FOLDERS.flatMap((folder) => {
    const within = path.join(__dirname, folder);
    return fs.readdirSync(within).map((file): RecordedCase => JSON.parse(fs.readFileSync(path.join(within, file), "utf8")));
  });

  // Each case has a folder and processes of its own.
  test.concurrent.each(cases.map((recorded): [string, RecordedCase] => [recorded.name, recorded]))(
    "%s",
    async (_name, recorded) => {
      const run = new CaseRun(PULUMI, recorded.program);
      try {
        expect(await run.init()).toMatchObject({ status: 0 });
        for (const [i, step] of recorded.steps.entries()) {
          const { seen, faults, stderr } = await run.step(step);
          const expected = expectedOf(recorded.name, i, step.expect);
          expect({ ...seen, stderr: seen["exitCode"] === expected["exitCode"] ? "" : stderr }).toEqual({ ...expected, stderr: "" });
          expect(faults).toEqual([]);
        }
      } finally {
        run.close();
      }
    },
    180_000,
  );
});
