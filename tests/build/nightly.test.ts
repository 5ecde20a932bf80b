/** `build/nightly.cjs` with programs in the place of node, npm and make that write down how they were called, and fail where they are told to. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

const root = path.join(__dirname, "../..");
const { HELD } = require("../../build/node-version.cjs") as { HELD: number[] };
const { scripts } = JSON.parse(fs.readFileSync(path.join(root, "package.json"), "utf8")) as { scripts: Record<string, string> };

let folder: string;
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-nightly-"));
  fs.mkdirSync(path.join(folder, "build"));
  for (const name of ["nightly.cjs", "node-version.cjs"]) fs.copyFileSync(path.join(root, "build", name), path.join(folder, "build", name));
  const program = `#!/bin/sh
words="\${0##*/} $*"
echo "$words" >>"$CALLS"
[ -z "$FAIL" ] || case "$words" in *"\${FAIL%=*}"*) exit "\${FAIL##*=}" ;; esac
`;
  fs.mkdirSync(path.join(folder, "bin"));
  for (const name of ["node", "npm", "make"]) fs.writeFileSync(path.join(folder, "bin", name), program, { mode: 0o755 });
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

function nightly(fail = "") {
  const env = { PATH: `${path.join(folder, "bin")}:${process.env["PATH"]}`, CALLS: path.join(folder, "calls"), FAIL: fail };
  const { status, stdout } = spawnSync(process.execPath, [path.join(folder, "build/nightly.cjs")], { env, encoding: "utf8" });
  return { status, results: stdout.split("\n").filter((line) => / min$/.test(line)), calls: fs.readFileSync(env.CALLS, "utf8").trim().split("\n") };
}

const COUNT = HELD.length + 11;

test("it runs every held version of Node, and each long run once", () => {
  const { status, results, calls } = nightly();
  expect([status, results.length]).toEqual([0, COUNT]);
  expect(results.filter((line) => !/^.+: passed, \d+\.\d min$/.test(line))).toEqual([]);
  expect(calls.map((call) => call.replace(/--seed \d{8}$/, "--seed <today>"))).toEqual([
    ...HELD.map((major) => `node build/test-node.cjs ${major}`),
    "npm run --silent fuzz",
    "npm run --silent mutate -- --seed <today>",
    "make test-another-site WITH=lab",
    ...["all-cases", "canaries", "kills", "changes", "faults", "live-cases", "live-gitops", "live-waits"].map((name) => `npm run --silent test:${name}`),
  ]);
  // Nothing that is asked for by a name of its own is left to nobody.
  const long = Object.keys(scripts).filter((name) => name.startsWith("test:"));
  expect(long.filter((name) => !calls.includes(`npm run --silent ${name}`))).toEqual([]);
});

test("a script or a target that it names is there", () => {
  const named = nightly().calls.flatMap((call) => /^npm run --silent (\S+)/.exec(call)?.[1] ?? []);
  expect(named.filter((name) => scripts[name] === undefined)).toEqual([]);
  expect(fs.readFileSync(path.join(root, "Makefile"), "utf8")).toMatch(/^test-another-site:.*\n.*\$\(WITH\)/m);
  expect(fs.existsSync(path.join(root, "build/test-node.cjs"))).toBe(true);
});

test.each([
  ["the first", `test-node.cjs ${HELD[0]}=1`, `Node ${HELD[0]}: failed (1)`],
  ["one of the middle", "test:kills=7", "kill at each record of a rebuild's journal, then resume: failed (7)"],
  ["the last", "live-waits=1", "waits beside the official Kubernetes provider: failed (1)"],
  // Only a version of Node may be missing.
  ["one that ends as a missing Node does", "fuzz=3", "fuzz: failed (3)"],
])("%s fails: the others run all the same, and the whole fails", (_, fail, line) => {
  const { status, results, calls } = nightly(fail);
  expect([status, calls.length]).toEqual([1, COUNT]);
  expect(results.filter((result) => !result.includes(": passed, "))).toEqual([expect.stringContaining(`${line}, `)]);
});

test("a Node that npm does not bring here is named as skipped, and fails nothing", () => {
  const { status, results } = nightly("test-node.cjs=3");
  expect(status).toBe(0);
  expect(results.filter((line) => line.includes(": skipped: npm cannot bring it here, "))).toHaveLength(HELD.length);
});
