// Changes the source a little, one place at a time, and runs the tests of its folder: a change that no test notices is told.
//   node build/mutate.cjs [FOLDER…] [--limit N] [--seed N] [--minutes N] [--timeout N] [--runner COMMAND]
// Works in a copy of the checkout, so that a run which is killed leaves nothing changed. The same seed takes the same places.
"use strict";
require("./node-version.cjs");
const { execFileSync, spawnSync } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { parseArgs } = require("node:util");
const { mutantsOf } = require("./mutate/mutants.cjs");
const { secondsFor } = require("./mutate/time-limit.cjs");

const ROOT = path.resolve(__dirname, "..");
const FOLDERS = ["components/base", "components/platform", "stacks/build", "stacks/plan"];
/** Tests elsewhere that hold a file too: asked where those of its folder notice nothing. */
const ELSEWHERE = [
  [/^components\/platform\/vault\//, ["tests/contract/vault/lab.test.ts"]],
  [/^components\/platform\//, ["tests/program/rendered-charts.test.ts", "tests/program/platform-policy.test.ts"]],
  [/^(components|stacks)\//, ["stacks/platform-page.test.ts", "site/tests/program/registrations.test.ts"]],
];
const elsewhere = (file) => ELSEWHERE.flatMap(([pattern, tests]) => (pattern.test(file) ? tests : []));

/** What the unchanged tests of a folder may take. */
const UNCHANGED_SECONDS = 1800;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    limit: { type: "string", default: "200" },
    seed: { type: "string", default: "1" },
    minutes: { type: "string", default: "60" },
    // Seconds at least; tests that take longer, and several times as long as before the change, go round in circles because of it: noticed.
    timeout: { type: "string", default: "180" },
    runner: { type: "string", default: "npx --no-install jest -w 1" },
  },
});

/** mulberry32: small, and the same on every machine. */
function randomFrom(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

function shuffled(list, random) {
  const copy = [...list];
  for (let at = copy.length - 1; at > 0; at--) {
    const other = Math.floor(random() * (at + 1));
    [copy[at], copy[other]] = [copy[other], copy[at]];
  }
  return copy;
}

/** What Git knows of the checkout and is there. */
const filesHere = () =>
  execFileSync("git", ["ls-files", "-z"], { cwd: ROOT, encoding: "utf8" })
    .split("\0")
    .filter((file) => file !== "" && fs.existsSync(path.join(ROOT, file)));

function copyTo(target, files) {
  for (const file of files) {
    fs.mkdirSync(path.join(target, path.dirname(file)), { recursive: true });
    fs.copyFileSync(path.join(ROOT, file), path.join(target, file));
  }
  fs.symlinkSync(path.join(ROOT, "node_modules"), path.join(target, "node_modules"));
}

const isSource = (file) => file.endsWith(".ts") && !file.endsWith(".test.ts") && !file.endsWith(".main.ts");

/** The folder whose tests hold a file: the nearest that has some, within the folder that was asked for. */
function testsOf(file, files, folder) {
  for (let at = path.posix.dirname(file); at === folder || at.startsWith(`${folder}/`); at = path.posix.dirname(at)) {
    if (files.some((other) => other.startsWith(`${at}/`) && other.endsWith(".test.ts"))) return at;
  }
  return undefined;
}

/** @returns the exit code; null when the time was up */
function run(copy, tests, seconds) {
  const [command, ...words] = values.runner.split(" ");
  const { status, error } = spawnSync(command, [...words, "--bail", "--silent", ...tests], {
    cwd: copy,
    stdio: "ignore",
    timeout: seconds * 1000,
    env: { ...process.env, NODE_OPTIONS: "" },
  });
  if (error !== undefined && error.code !== "ETIMEDOUT") throw error;
  return status;
}

function main() {
  const folders = positionals.length === 0 ? FOLDERS : positionals.map((folder) => folder.replace(/\/+$/, ""));
  const files = filesHere();
  const places = folders.flatMap((folder) =>
    files
      .filter((file) => file.startsWith(`${folder}/`) && isSource(file))
      .flatMap((file) => {
        const tests = testsOf(file, files, folder);
        const text = fs.readFileSync(path.join(ROOT, file), "utf8");
        return mutantsOf(file, text).map((mutant) => ({ ...mutant, file, original: text, tests }));
      }),
  );
  if (places.length === 0) throw new Error(`there is nothing to change in ${folders.join(", ")}`);
  const copy = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-mutate-"));
  const clean = () => fs.rmSync(copy, { recursive: true, force: true });
  process.on("exit", clean);
  // A signal alone would end this process without its `exit`, which removes the copy.
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(130));
  copyTo(copy, files);
  const chosen = shuffled(places, randomFrom(Number(values.seed))).slice(0, Number(values.limit));
  /** Seconds that the unchanged tests took, by their path. */
  const unchanged = new Map();
  for (const tests of new Set(chosen.flatMap(({ file, tests }) => [...(tests === undefined ? [] : [tests]), ...elsewhere(file)]))) {
    // A busy machine may need far longer for a whole folder than for one that fails at once.
    const begun = Date.now();
    const code = run(copy, [tests], Math.max(Number(values.timeout), UNCHANGED_SECONDS));
    unchanged.set(tests, (Date.now() - begun) / 1000);
    if (code === null) throw new Error(`the tests of ${tests} take more than ${UNCHANGED_SECONDS} s before anything is changed: is the machine busy?`);
    if (code !== 0) throw new Error(`the tests of ${tests} fail before anything is changed`);
  }
  const end = Date.now() + Number(values.minutes) * 60_000;
  const survived = [];
  let ran = 0;
  let others = 0;
  let late = 0;
  /** Whether tests fail, or find no end. */
  const fails = (tests) => {
    const code = run(
      copy,
      tests,
      secondsFor(
        Number(values.timeout),
        tests.map((each) => (unchanged.has(each) ? unchanged.get(each) : 0)),
      ),
    );
    if (code === null) late++;
    return code !== 0;
  };
  for (const { file, line, what, text, original, tests } of chosen) {
    if (Date.now() > end) break;
    ran++;
    fs.writeFileSync(path.join(copy, file), text);
    const inFolder = tests !== undefined && fails([tests]);
    const noticed = inFolder || (elsewhere(file).length > 0 && fails(elsewhere(file)));
    fs.writeFileSync(path.join(copy, file), original);
    if (noticed && !inFolder) others++;
    if (noticed) continue;
    survived.push({ file, line, what });
    console.log(`survived  ${file}:${line}  ${what}${tests === undefined ? "  (no tests beside it)" : ""}`);
  }
  const score = ran === 0 ? 0 : Math.round((1000 * (ran - survived.length)) / ran) / 10;
  console.log(`${ran} of ${places.length} changes tried in ${folders.join(", ")} (seed ${values.seed}):`);
  console.log(
    `${ran - survived.length - others} noticed by the tests of their folders, ${others} by others, ${survived.length} survived; score ${score} %; tests found no end ${late} times`,
  );
}

try {
  main();
} catch (thrown) {
  process.stderr.write(`error: ${thrown.message}\n`);
  process.exitCode = 2;
}
