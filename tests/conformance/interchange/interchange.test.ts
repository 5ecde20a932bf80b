/** The embedded engine continues with states that the CLI built when the cases were recorded. turns.real.test.ts does it live, both ways. */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { EMBEDDED } from "../../support/real-cli";
import type { Entry, Json } from "../engine/normalise";
import { CaseRun } from "../engine/recorded-case";
import { exportOf, recordedCase } from "./recorded-state";

// Each test starts several processes; a busy machine takes its time.
jest.setTimeout(240_000);

/** Cases whose step `at` is an `up` that succeeded: its program on its state changes nothing. */
const BUILT: [name: string, at: number][] = [
  ["create-same-update", 2],
  ["component-and-children", 0],
  ["secret-inputs-and-outputs", 1],
  ["explicit-provider", 2],
  ["nulls-and-nesting", 0],
  ["read-resource", 0],
  ["additional-secret-outputs", 0],
];

describe("states that the CLI built", () => {
  const file = path.join(os.tmpdir(), `interchange-${process.pid}.json`);
  let run: CaseRun;
  beforeAll(async () => {
    run = new CaseRun(EMBEDDED);
    expect(await run.call(["stack", "init", "dev"])).toMatchObject({ status: 0 });
  });
  afterAll(() => {
    fs.rmSync(file, { force: true });
    run.close();
  });

  test.each(BUILT)("%s: no changes, no call that changes anything, and the export is what came in", async (name, at) => {
    const step = recordedCase(name).steps[at];
    const text = exportOf(step?.expect["state"] ?? null);
    fs.writeFileSync(file, text);
    expect(await run.call(["stack", "import", "--file", file, "--stack", "dev"])).toMatchObject({ status: 0 });
    const { seen } = await run.step({ op: "preview", spec: step?.spec ?? [], args: ["--expect-no-changes"], expect: {} });
    expect([seen["exitCode"], seen["errors"]]).toEqual([0, []]);
    const changing = (seen["calls"] as Entry[]).filter(({ method }) => ["Create", "Update", "Delete"].includes(method ?? ""));
    expect(changing).toEqual([]);
    const exported: { deployment: { resources: Json } } = JSON.parse((await run.call(["stack", "export", "--show-secrets", "--stack", "dev"])).stdout);
    expect(exported.deployment.resources).toEqual(JSON.parse(text).deployment.resources);
  });
});
