/**
 * Every recorded case asked again: of the Pulumi CLI and of the embedded engine, side by side. The two answers are compared with each
 * other and with the recording, from which the embedded engine differs where deliberate.ts says so; one that no longer holds fails with both.
 * HOMELAB_ALL_CASES=1 adds `more-cases`.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { isDeepStrictEqual } from "node:util";
import { EMBEDDED } from "../../support/real-cli";
import { describeReal } from "../../support/real-parts";
import { skippedByName } from "../../support/skips";
import { expectedOf } from "./deliberate";
import type { Json } from "./normalise";
import { CaseRun, type RecordedCase, type RecordedStep } from "./recorded-case";

const SHARED = path.join(__dirname, "../../../../shared/conformance/engine/cases");

function casesIn(folder: string): RecordedCase[] {
  const files = fs.existsSync(folder) ? fs.readdirSync(folder).filter((file) => file.endsWith(".json")) : [];
  return files.map((file) => JSON.parse(fs.readFileSync(path.join(folder, file), "utf8")));
}

/** Those of the project, and shared ones that are not (yet) among them or say something else. */
function allCases(): RecordedCase[] {
  const folders = ["cases", ...(process.env["HOMELAB_ALL_CASES"] === "1" ? ["more-cases"] : [])];
  const own = folders.flatMap((folder) => casesIn(path.join(__dirname, folder)));
  const texts = new Set(own.map((one) => JSON.stringify(one)));
  return [...own, ...casesIn(SHARED).filter((one) => !texts.has(JSON.stringify(one)))];
}

type Answer = Record<string, Json>;

async function* answers(pulumi: string, recorded: RecordedCase): AsyncGenerator<Answer> {
  const run = new CaseRun(pulumi, recorded.program);
  try {
    const init = await run.call(["stack", "init", "dev"]);
    if (init.status !== 0) throw new Error(`${pulumi} stack init ended with ${init.status}: ${init.stderr}`);
    for (const step of recorded.steps) {
      const { seen, faults, stderr } = await run.step(step);
      yield { ...seen, faults, stderr: seen["exitCode"] === step.expect["exitCode"] ? "" : stderr };
    }
  } finally {
    run.close();
  }
}

async function all(answer: AsyncGenerator<Answer>): Promise<Answer[]> {
  const list: Answer[] = [];
  for await (const one of answer) list.push(one);
  return list;
}

/**
 * Where a resource fails, which independent ones were registered before it is a matter of milliseconds, in the CLI too (seen on a busy
 * machine: check-failure without its second resource). So an engine is asked up to three times for the recorded answer.
 */
async function answerOf(pulumi: string, recorded: RecordedCase, recording: Answer[]): Promise<Answer[]> {
  let answer: Answer[] = [];
  for (let tries = 0; tries < 3; tries += 1) {
    answer = await all(answers(pulumi, recorded));
    if (isDeepStrictEqual(JSON.parse(JSON.stringify(answer)), JSON.parse(JSON.stringify(recording)))) break;
  }
  return answer;
}

const recordingOf = (expected: readonly RecordedStep["expect"][]): Answer[] => expected.map((step) => ({ ...step, faults: [], stderr: "" }));

const TITLE = "recorded cases, asked of both engines";

function cases(pathOf: (name: "pulumi") => string): void {
  test.concurrent.each(allCases().map((recorded): [string, RecordedCase] => [recorded.name, recorded]))(
    "%s",
    async (_name, recorded) => {
      const recording = recordingOf(recorded.steps.map(({ expect: expected }) => expected));
      const ours = recordingOf(recorded.steps.map(({ expect: expected }, step) => expectedOf(recorded.name, step, expected)));
      const [cli, embedded] = await Promise.all([answerOf(pathOf("pulumi"), recorded, recording), answerOf(EMBEDDED, recorded, ours)]);
      // One comparison for all, so that a difference is shown beside the other answers.
      expect({ cli, embedded }).toEqual({ cli: recording, embedded: ours });
    },
    900_000,
  );
}

// It takes too long for every run of the tests, so it must be asked for.
if (process.env["HOMELAB_TEST_LIVE_CASES"] === "1") describeReal(["pulumi"], TITLE, cases);
else describe(TITLE, () => skippedByName("every case", "asked for by HOMELAB_TEST_LIVE_CASES=1, as make nightly does"));
