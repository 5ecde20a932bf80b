/** `.ci/run` with programs in the place of npm, node and make that write down how they were called, and fail where they are told to. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

const root = path.join(__dirname, "../..");
let folder: string;
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-ci-run-"));
  fs.mkdirSync(path.join(folder, ".ci"));
  fs.copyFileSync(path.join(root, ".ci/run"), path.join(folder, ".ci/run"));
  const bin = path.join(folder, "bin");
  fs.mkdirSync(bin);
  // FAIL: words of the calls that fail, and with which code: `real-parts=1 test-real=2`.
  const program = `#!/bin/sh
words="\${0##*/} $*"
echo "$words" >>"$CALLS"
[ "\${0##*/}" = make ] && echo "budget=\${HOMELAB_REAL_BUDGET:-} until=\${HOMELAB_REAL_UNTIL:-}" >>"$CALLS.env"
for each in $FAIL; do case "$words" in *"\${each%=*}"*) exit "\${each#*=}" ;; esac; done
`;
  for (const name of ["npm", "node", "make"]) fs.writeFileSync(path.join(bin, name), program, { mode: 0o755 });
  fs.writeFileSync(path.join(folder, ".ci/as-plain-user.sh"), program, { mode: 0o755 });
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

function run(fail: string, more: Record<string, string> = {}) {
  const env = { PATH: `${folder}/bin:${process.env["PATH"]}`, CALLS: path.join(folder, "calls"), FAIL: fail, TMPDIR: folder, ...more };
  const { status, stdout, stderr } = spawnSync("bash", [".ci/run"], { cwd: folder, env, encoding: "utf8" });
  const lines = (file: string): string[] => (fs.existsSync(file) ? fs.readFileSync(file, "utf8").trim().split("\n") : []);
  return { status, out: stdout + stderr, calls: lines(env.CALLS), environments: lines(`${env.CALLS}.env`) };
}

test("it runs everything, and the sum comes last", () => {
  const { status, calls } = run("");
  expect(status).toBe(0);
  expect(calls.map((call) => call.replace(/ \S*\/tmp\.\S+$| \d+(?= make)/g, ""))).toEqual([
    "npm ci --include=dev --no-audit --no-fund --loglevel=error",
    "node build/build.cjs",
    "npm run --silent typecheck",
    "as-plain-user.sh make --no-print-directory --keep-going test test-rehearsals",
    "node build/test-node.cjs newest --short",
    "make --no-print-directory real-parts",
    "node build/within.cjs make --no-print-directory test-real",
    "node tests/support/print-totals.cjs",
  ]);
  expect(fs.readdirSync(folder).filter((name) => name.startsWith("tmp."))).toEqual([]);
});

test.each([
  ["as-plain-user=2", 2],
  ["newest=1", 1],
  ["test-real=2", 2],
  ["test-real=124", 124],
  // npm brings no other Node here: counted as skipped.
  ["newest=3", 0],
  // Another run builds the parts at the same time, or their cache belongs to somebody else.
  ["real-parts=1", 0],
])("where %s, all the rest runs and the exit code is %d", (fail, code) => {
  const { status, calls } = run(fail);
  expect([status, calls.length]).toEqual([code, 8]);
});

test("parts that could not be built are said, and what they would have shown is skipped by the tests' own lines", () => {
  expect(run("real-parts=2").out).toContain("what is missing is skipped by name");
});

test("what is not installed, compiled or typed right ends it at once", () => {
  for (const [fail, calls] of [
    ["ci=1", 1],
    ["build.cjs=1", 2],
    ["typecheck=1", 3],
  ] as const) {
    fs.rmSync(path.join(folder, "calls"), { force: true });
    const ended = run(fail);
    expect([ended.status, ended.calls.length]).toEqual([1, calls]);
  }
});

test("the whole has 82 minutes, since the pipeline's host ends it after 90: 45 at most for the parts, the tests of the parts until the end", () => {
  const { calls, environments } = run("");
  expect(environments.map((line) => line.split(" ")[0])).toContain("budget=45");
  const seconds = Number(/within\.cjs (\d+) /.exec(calls.join("\n"))?.[1]);
  expect([seconds > 80 * 60, seconds <= 82 * 60]).toEqual([true, true]);
});

test("the minutes that are left: at least one for the parts and for their tests", () => {
  const { calls, environments } = run("", { HOMELAB_CI_MINUTES: "5" });
  expect(environments[0]).toMatch(/^budget=1 /);
  const seconds = Number(/within\.cjs (\d+) /.exec(calls.join("\n"))?.[1]);
  expect(seconds).toBeGreaterThanOrEqual(60);
  expect(seconds).toBeLessThanOrEqual(300);
});
