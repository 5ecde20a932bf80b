// Changes the source a little, one place at a time, and runs the tests that load it: a change that no test notices is reported.
//   node build/mutate.cjs [FOLDER…] [--limit N] [--seed N] [--minutes N] [--timeout N] [--tests FOLDER]… [--at-least PERCENT]
// The limit applies to each folder in components/ and stacks/. Works in a copy of the checkout, so that a run which is killed leaves
// nothing changed. The same seed takes the same places.
"use strict";
require("./node-version.cjs");
const { execFileSync } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { parseArgs } = require("node:util");
const { Judge } = require("./mutate/judge.cjs");
const { mutantsOf } = require("./mutate/mutants.cjs");
const { typeChecker } = require("./mutate/types.cjs");

const ROOT = path.resolve(__dirname, "..");
const FOLDERS = ["components", "stacks"];
/** Where the tests of these folders are. */
const TESTS = ["components", "stacks", "site", "policy", "tests/program"];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    limit: { type: "string", default: "20" },
    seed: { type: "string", default: "1" },
    minutes: { type: "string", default: "60" },
    // Seconds, at least. If tests take longer than this, and several times as long as before the change, then it made them loop: noticed.
    timeout: { type: "string", default: "180" },
    tests: { type: "string", multiple: true, default: TESTS },
    "at-least": { type: "string", default: "0" },
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

/** The files that Git tracks and that exist. */
const filesHere = () =>
  execFileSync("git", ["ls-files", "-z"], { cwd: ROOT, encoding: "utf8" })
    .split("\0")
    .filter((file) => file !== "" && fs.existsSync(path.join(ROOT, file)));

/** Copies and compiles the checkout, since tests start compiled files. */
function copyTo(target, files) {
  for (const file of files) {
    fs.mkdirSync(path.join(target, path.dirname(file)), { recursive: true });
    fs.copyFileSync(path.join(ROOT, file), path.join(target, file));
  }
  fs.symlinkSync(path.join(ROOT, "node_modules"), path.join(target, "node_modules"));
  require(path.join(target, "build", "build.cjs")).build();
}

const isSource = (file) => file.endsWith(".ts") && !file.endsWith(".test.ts") && !file.endsWith(".main.ts");
const within = (file, folder) => file.startsWith(`${folder}/`);
/** `components/base` of `components/base/a/b.ts`, `stacks` of `stacks/a.ts`. */
const groupOf = (file) => path.posix.dirname(file).split("/").slice(0, 2).join("/");

/** Chooses some places of each folder, and says of how many. */
function choose(folders, files) {
  const random = randomFrom(Number(values.seed));
  const places = new Map();
  for (const file of files.filter((file) => isSource(file) && folders.some((folder) => within(file, folder)))) {
    const original = fs.readFileSync(path.join(ROOT, file), "utf8");
    const group = places.has(groupOf(file)) ? places.get(groupOf(file)) : [];
    places.set(groupOf(file), [...group, ...mutantsOf(file, original).map((mutant) => ({ ...mutant, file, original }))]);
  }
  if (places.size === 0) throw new Error(`there is nothing to change in ${folders.join(", ")}`);
  return [...places].map(([group, all]) => ({ group, all: all.length, chosen: shuffled(all, random).slice(0, Number(values.limit)) }));
}

const percent = (part, whole) => (whole === 0 ? 0 : Math.round((1000 * part) / whole) / 10);
const counted = (counts) => Object.values(counts).reduce((sum, each) => sum + each, 0);

/** Takes from each folder in turn, so that a run whose time is up has looked at all of them. */
function inTurns(groups) {
  const longest = Math.max(...groups.map(({ chosen }) => chosen.length));
  return Array.from({ length: longest }, (_, at) =>
    groups.flatMap(({ group, chosen }) => (chosen[at] === undefined ? [] : [{ group, mutant: chosen[at] }])),
  ).flat();
}

/** @returns by folder, how many changes were noticed and by what */
async function judgeAll(judge, groups) {
  const end = Date.now() + Number(values.minutes) * 60_000;
  const counts = new Map(groups.map(({ group }) => [group, { beside: 0, other: 0, record: 0, types: 0, nothing: 0 }]));
  let checker;
  const refusedBy = (mutant) => {
    if (checker === undefined) checker = typeChecker(ROOT);
    return checker(mutant.file, mutant.text);
  };
  for (const { group, mutant } of inTurns(groups)) {
    if (Date.now() > end) break;
    const verdict = await judge.judge(mutant);
    const place = `${mutant.file}:${mutant.line}  ${mutant.what}`;
    if (verdict.by === "nothing") {
      if (refusedBy(mutant) === undefined) console.log(`survived  ${place}  (${verdict.asked} test files load it)`);
      else verdict.by = "types";
    } else if (verdict.by === "record") console.log(`record    ${place}`);
    counts.get(group)[verdict.by]++;
  }
  return counts;
}

function tell(groups, counts, judge) {
  const total = { beside: 0, other: 0, record: 0, types: 0, nothing: 0 };
  const line = (name, of, each) => {
    const tried = counted(each);
    console.log(
      `${name}: ${tried} of ${of} changes tried, ${each.beside} noticed by tests beside them, ${each.other} by others, ` +
        `${each.record} by the record of registrations alone, ${each.types} refused by types, ${each.nothing} survived; ` +
        `score ${percent(tried - each.nothing, tried)} %`,
    );
  };
  for (const { group, all } of groups) {
    const each = counts.get(group);
    for (const by of Object.keys(total)) total[by] += each[by];
    line(group, all, each);
  }
  line(
    `all (seed ${values.seed})`,
    groups.reduce((sum, { all }) => sum + all, 0),
    total,
  );
  console.log(`tests did not end ${judge.late} times`);
  return percent(counted(total) - total.nothing, counted(total));
}

async function main() {
  const files = filesHere();
  const groups = choose(positionals.length === 0 ? FOLDERS : positionals.map((folder) => folder.replace(/\/+$/, "")), files);
  const copy = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "homelab-mutate-")));
  const judge = new Judge(copy, Number(values.timeout));
  process.on("exit", () => {
    judge.end();
    fs.rmSync(copy, { recursive: true, force: true });
  });
  // A signal alone would end this process without its `exit`, which removes the copy.
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(130));
  copyTo(copy, files);
  const tests = files.filter((file) => file.endsWith(".test.ts") && values.tests.some((folder) => within(file, folder)));
  const failed = await judge.learn(tests);
  for (const { test, why } of failed) console.log(`not used ${test}: ${why}`);
  if (failed.length === tests.length) throw new Error("no test passes before anything is changed");
  const score = tell(groups, await judgeAll(judge, groups), judge);
  if (score < Number(values["at-least"])) throw new Error(`the score is ${score} %, and at least ${values["at-least"]} % are asked for`);
}

main()
  .then(() => process.exit())
  .catch((thrown) => {
    process.stderr.write(`error: ${thrown.message}\n`);
    process.exit(2);
  });
