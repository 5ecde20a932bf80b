/** A run of the real tests with a time limit: files without enough time are skipped by name, and the shortest files run first. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
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

it("begins only what ends by the limit, also on a slow day", () => {
  const ends = (name: string, left: number) => RealSequencer.endsBy(`/x/tests/${name}.real.test.ts`, 1_000_000, 1_000_000 + left);
  expect([ends("real/sops", 29), ends("real/sops", 31)]).toEqual([false, true]);
  expect([ends("real/cli-lab", 509), ends("real/cli-lab", 511)]).toEqual([false, true]);
  // The file's duration is found by a Windows path too.
  expect(RealSequencer.endsBy("C:\\x\\tests\\real\\cli-lab.real.test.ts", 0, 509)).toBe(false);
});

it("refuses a limit that is no time", () => {
  const done = realRun("soon");
  expect(done.out).toContain('HOMELAB_REAL_UNTIL is "soon"; it must be seconds since 1970, as `date +%s` prints them');
  expect(done.code).toBe(1);
});

it("counts a file that was cut as failed, by name, and adds up all runs", () => {
  const totals = path.join(fs.mkdtempSync(path.join(os.tmpdir(), "homelab-totals-")), "totals");
  const lines = [
    { begun: "tests/a.test.ts" },
    { begun: "tests/b.test.ts" },
    { ended: "tests/b.test.ts", passed: 3, failed: 0, skipped: ["b [skipped: no vault; make real-parts]"] },
    { begun: "tests/b.test.ts" },
    { ended: "tests/b.test.ts", passed: 2, failed: 1, skipped: [] },
  ];
  fs.writeFileSync(totals, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  const { stdout, stderr } = spawnSync(process.execPath, ["tests/support/print-totals.cjs", totals], { cwd: root, encoding: "utf8" });
  expect([stdout, stderr]).toEqual(["skipped 1 test: no vault; make real-parts\ncut before it ended: tests/a.test.ts\n5 passed, 2 failed, 1 skipped\n", ""]);
  fs.rmSync(path.dirname(totals), { recursive: true });
});

it("asks the short files first, and each of them", () => {
  const files = ["/x/tests/real/cli-lab.real.test.ts", "/x/tests/real/sops.real.test.ts", "/x/tests/contract/kubernetes/beside/types.real.test.ts"];
  const sorted = new RealSequencer().sort(files.map((file) => ({ path: file }))).map((test) => test.path);
  expect(sorted).toEqual([files[1], files[2], files[0]]);
});
