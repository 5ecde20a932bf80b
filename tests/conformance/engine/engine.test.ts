import * as fs from "node:fs";
import * as path from "node:path";
import { CaseRun, type RecordedCase } from "./recorded-case";

const CASES = path.join(__dirname, "cases");
const PULUMI = path.join(__dirname, "../../../engine/bin/pulumi");

/** What the Pulumi CLI 3.260 did, step by step; the embedded engine does the same. */
describe("recorded cases of the Pulumi CLI", () => {
  const cases = fs.readdirSync(CASES).map((file): RecordedCase => JSON.parse(fs.readFileSync(path.join(CASES, file), "utf8")));

  // Each case has a folder and processes of its own.
  test.concurrent.each(cases.map((recorded): [string, RecordedCase] => [recorded.name, recorded]))(
    "%s",
    async (_name, recorded) => {
      const run = new CaseRun(PULUMI);
      try {
        expect(await run.call(["stack", "init", "dev"])).toMatchObject({ status: 0 });
        for (const step of recorded.steps) {
          const { seen, faults, stderr } = await run.step(step);
          expect({ ...seen, stderr: seen["exitCode"] === step.expect["exitCode"] ? "" : stderr }).toEqual({ ...step.expect, stderr: "" });
          expect(faults).toEqual([]);
        }
      } finally {
        run.close();
      }
    },
    180_000,
  );
});
