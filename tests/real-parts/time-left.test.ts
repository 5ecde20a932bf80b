/** A run with a limit: what it has no time for is skipped by name, and the shortest files are asked first. */
import { spawnSync } from "node:child_process";
import * as path from "node:path";
import RealSequencer from "../support/real-sequencer.cjs";

const root = path.join(__dirname, "..", "..");

function realRun(until: string): { code: number | null; out: string } {
  const env = { ...process.env, HOMELAB_TEST_REAL: "1", HOMELAB_REAL_UNTIL: until, HOMELAB_TEST_TOTALS: "" };
  const { status, stdout, stderr } = spawnSync(process.execPath, ["node_modules/jest/bin/jest.js", "--runInBand", "tests/real/sops"], {
    cwd: root,
    env,
    encoding: "utf8",
  });
  return { code: status, out: stdout + stderr };
}

it("begins nothing after the limit, and says so by name", () => {
  const done = realRun("1");
  expect(done.out).toMatch(/^skipped \d+ tests?: no time was left in this run \(HOMELAB_REAL_UNTIL\); make test-real runs it$/m);
  expect(done.out).toMatch(/^0 passed, 0 failed, [1-9]\d* skipped$/m);
  expect(done.code).toBe(0);
});

it("refuses a limit that is no time", () => {
  const done = realRun("soon");
  expect(done.out).toContain('HOMELAB_REAL_UNTIL is "soon"; it must be seconds since 1970, as `date +%s` prints them');
  expect(done.code).toBe(1);
});

it("asks the short files first, and each of them", () => {
  const files = ["/x/tests/real/cli-lab.real.test.ts", "/x/tests/real/sops.real.test.ts", "/x/tests/contract/kubernetes/beside/types.real.test.ts"];
  const sorted = new RealSequencer().sort(files.map((file) => ({ path: file }))).map((test) => test.path);
  expect(sorted).toEqual([files[1], files[2], files[0]]);
});
