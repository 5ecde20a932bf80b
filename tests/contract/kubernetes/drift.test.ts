import * as fs from "node:fs";
import * as path from "node:path";
import { projectRoot } from "../../../common/paths";
import { DRIFT_CASES } from "./drift-cases";
import { driftSuite } from "./drift-suite";
import { startLabApi } from "./under-test";

describe("drift, on the lab's API", () => driftSuite(startLabApi));

// Custom kinds have one way through the provider, which Gadget takes. A Release is no kind; its drift is in release/records.ts.
test("each built-in kind that the program registers has a case", () => {
  const folder = path.join(projectRoot(), "site/tests/program/fixtures");
  const types = new Set<string>();
  for (const file of fs.readdirSync(folder)) {
    const { resources } = JSON.parse(fs.readFileSync(path.join(folder, file), "utf8")) as { resources: Record<string, unknown> };
    for (const urn of Object.keys(resources)) {
      const type = /[:$]kubernetes:([^:]+:[^:]+)::[^:]+$/.exec(urn)?.[1];
      if (type !== undefined) types.add(type);
    }
  }
  const isBuiltIn = (type: string): boolean => /^([^./]+|[^/]+\.k8s\.io)\//.test(type);
  const cases = new Set(DRIFT_CASES.map(({ type }) => type));
  const builtIn = [...types].filter(isBuiltIn);
  expect(builtIn.length).toBeGreaterThan(15);
  expect(builtIn.filter((type) => !cases.has(type))).toEqual([]);
});
