import { EngineProcess } from "../../support/engine-process";
import type { RecordedCase } from "./recorded-case";
import { CASES, holds, needsProcesses } from "./recorded-cases";

const engine = new EngineProcess();
afterAll(() => engine.close());

/** What the Pulumi CLI 3.260 did, step by step; the embedded engine's command line does the same. engine.test.ts has those that need processes. */
test.each(CASES.filter((recorded) => !needsProcesses(recorded)).map((recorded): [string, RecordedCase] => [recorded.name, recorded]))("%s", (_name, recorded) =>
  holds(engine, recorded),
);
