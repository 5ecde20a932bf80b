/** `build/test-node.cjs` in a folder of its own, with programs in the place of npm, make and the Node that npm brings. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

const root = path.join(__dirname, "../..");
const { HELD } = require("../../build/node-version.cjs") as { HELD: number[] };
const NEWEST = HELD.at(-1);

/** Each writes down how it was called, with the lab's folder, the part of the tests and whose `node` comes first, and fails as FAIL says. */
const PROGRAM = `#!/bin/sh
words="\${0##*/} $*"
first=$(command -v node)
echo "$words | lab=\${HOMELAB_LAB_DIR:-} part=\${HOMELAB_TEST_PART:-} node=\${first%/node_modules/node/bin/node}" >>"$CALLS"
if [ -n "\${HOMELAB_LAB_DIR:-}" ] && [ ! -d "$HOMELAB_LAB_DIR" ]; then echo "no folder of the lab" >>"$CALLS"; fi
[ -z "$FAIL" ] || case "$words" in *"\${FAIL%=*}"*) echo "$SAYS" >&2; exit "\${FAIL##*=}" ;; esac
`;
const BRINGS = `mkdir -p node_modules/node/bin && cp "$PROGRAM" node_modules/node/bin/node\n`;

let folder: string;
let calls: string;
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-test-node-test-"));
  calls = path.join(folder, "calls");
  for (const name of ["build", "bin", "tmp"]) fs.mkdirSync(path.join(folder, name));
  for (const name of ["test-node.cjs", "node-version.cjs"]) fs.copyFileSync(path.join(root, "build", name), path.join(folder, "build", name));
  fs.writeFileSync(path.join(folder, "program"), PROGRAM, { mode: 0o755 });
  fs.writeFileSync(path.join(folder, "bin/make"), PROGRAM, { mode: 0o755 });
  fs.writeFileSync(path.join(folder, "bin/npm"), PROGRAM + BRINGS, { mode: 0o755 });
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

function run(args: string[], { fail = "", says = "", totals = "" } = {}) {
  fs.rmSync(calls, { force: true });
  const env = {
    PATH: `${path.join(folder, "bin")}:${process.env["PATH"]}`,
    XDG_CACHE_HOME: folder,
    TMPDIR: path.join(folder, "tmp"),
    PROGRAM: path.join(folder, "program"),
    CALLS: calls,
    FAIL: fail,
    SAYS: says,
    HOMELAB_TEST_TOTALS: totals,
  };
  const { status, stdout, stderr } = spawnSync(process.execPath, [path.join(folder, "build/test-node.cjs"), ...args], { env, encoding: "utf8" });
  const lines = fs.existsSync(calls) ? fs.readFileSync(calls, "utf8").trim().split("\n") : [];
  return { status, stdout, stderr, words: lines.map((line) => line.split(" | ")[0]), settings: lines.map((line) => line.split(" | ")[1] ?? "") };
}

const NPM = (major: number) => `npm install --no-audit --no-fund --loglevel=error --foreground-scripts node@${major}`;
const LAB = "make lab LAB_FLAGS=--proxy-port 0 --bastion-port 0 --control-port 0";
const WHOLE = [
  "node --version",
  LAB,
  LAB,
  "node orchestrator/bin/homelab preview --lab --expect-no-changes",
  "node orchestrator/bin/homelab lab stop",
  "make test test-rehearsals",
];

test("the lab is built twice and previewed without a change, in a folder of its own, then all tests run: on the Node that npm brings", () => {
  const { status, words, settings } = run(["24"]);
  expect([status, words]).toEqual([0, [NPM(24), ...WHOLE]]);
  const [lab, ...others] = [...new Set(settings.slice(2, 6).map((line) => /lab=(\S*)/.exec(line)?.[1]))];
  expect([others, path.dirname(lab ?? "")]).toEqual([[], path.join(folder, "tmp")]);
  expect(settings.slice(1).map((line) => /node=(.*)/.exec(line)?.[1])).toEqual(WHOLE.map(() => path.join(folder, "homelab/node/24")));
  // The tests get no folder of a lab, and nothing stays.
  expect(settings.at(-1)).toMatch(/^lab= part= /);
  expect(fs.readdirSync(path.join(folder, "tmp"))).toEqual([]);
  expect(run(["24"]).words).toEqual(WHOLE);
});

test("newest --short: the tests of what differs by version, and no rehearsal", () => {
  const { status, words, settings } = run(["newest", "--short"]);
  const [npm, version, tests, ...more] = words;
  expect([status, npm, version, more]).toEqual([0, NPM(NEWEST ?? 0), "node --version", []]);
  expect(settings[2]).toContain("part=quick ");
  const [program, runner, ...patterns] = (tests ?? "").split(" ");
  expect([program, runner]).toEqual(["node", "node_modules/jest/bin/jest.js"]);
  const listed = spawnSync(process.execPath, ["node_modules/jest/bin/jest.js", "--listTests"], { cwd: root, encoding: "utf8" }).stdout.split("\n");
  expect(patterns.filter((pattern) => !listed.some((file) => file.includes(pattern)))).toEqual([]);
  expect(patterns).toEqual(expect.arrayContaining(["common/", "ansible-replacements/", "tests/automation"]));
});

test.each([
  [
    "is not served",
    "npm error code ETARGET\nnpm error notarget No matching version found for node@24.\nnpm error A complete log of this run can be found in: /x.log",
    "No matching version found for node@24.",
  ],
  [
    "cannot be reached",
    "npm error code ENOTFOUND\nnpm error syscall getaddrinfo\nnpm error errno ENOTFOUND\nnpm error network request to https://r.invalid/node failed, reason: getaddrinfo ENOTFOUND r.invalid\nnpm error network This is a problem related to network connectivity.",
    "request to https://r.invalid/node failed, reason: getaddrinfo ENOTFOUND r.invalid",
  ],
  ["is killed without a word", "", "npm install ended with exit code 1"],
])("where npm %s, nothing runs: exit code 3, and it counts as skipped with npm's own reason", (_, says, reason) => {
  const totals = path.join(folder, "totals");
  const done = run(["24"], { fail: "install=1", says, totals });
  expect([done.status, done.stdout, done.words]).toEqual([3, `Node 24 cannot be had here: ${reason}\n`, [NPM(24)]]);
  const printed = spawnSync(process.execPath, ["tests/support/print-totals.cjs", totals], { cwd: root, encoding: "utf8" }).stdout;
  expect(printed).toBe(`skipped 1 test: Node 24 cannot be had here: ${reason}\n0 passed, 0 failed, 1 skipped\n`);
  expect(run(["24"], { fail: "install=1", says }).status).toBe(3);
});

test("an npm that says it has installed, and has not", () => {
  fs.writeFileSync(path.join(folder, "bin/npm"), PROGRAM, { mode: 0o755 });
  expect(run(["24"])).toMatchObject({ status: 3, stdout: "Node 24 cannot be had here: npm brought no program\n" });
});

test.each([
  ["make lab=2", "make lab", [LAB]],
  ["preview=1", "preview", [LAB, LAB, WHOLE[3]]],
])("a rehearsal that fails (%s) is stopped and ends it", (fail, named, before) => {
  const { status, stderr, words } = run(["22"], { fail });
  expect([status, words]).toEqual([1, [NPM(22), "node --version", ...before, "node orchestrator/bin/homelab lab stop"]]);
  expect(stderr).toMatch(new RegExp(`${named}.* ended with exit code [12]\\n$`));
  expect(fs.readdirSync(path.join(folder, "tmp"))).toEqual([]);
});

test("tests that fail are a failure", () => {
  expect(run(["22"], { fail: "test-rehearsals=2" }).status).toBe(1);
  expect(run(["22", "--short"], { fail: "jest.js=1" }).status).toBe(1);
});

test.each([[[]], [["21"]], [["latest"]], [["24", "--quick"]], [["24", "26"]]])("%j is refused with the usage, and nothing runs", (args) => {
  const { status, stderr, words } = run(args);
  expect([status, stderr, words]).toEqual([2, `usage: node build/test-node.cjs ${HELD.join("|")}|newest [--short]\n`, []]);
});
