// Compiles every TypeScript source to bin/ (same tree, CommonJS), file by file and only what changed.
// Types are not checked here (`npm run typecheck` does), so a full build takes about a second and nothing compiles at run time.
"use strict";
require("./node-version.cjs");
const fs = require("node:fs");
const path = require("node:path");
const { compile, compilerStamp, endWith } = require("./compile.cjs");
const { SOURCE_FOLDERS } = require("./source-folders.cjs");

const root = path.resolve(__dirname, "..");
const out = path.join(root, "bin");
const stampFile = path.join(out, ".built");
/** A source may change while it is compiled. So it is checked again, at most this often. */
const ROUNDS = 5;
/** Part files of killed builds are removed after this time, in milliseconds. */
const PART_AGE = 60_000;

/** The files below a folder of `base`, relative to `base`. Every start runs this, so it does little for each file. */
function filesBelow(base, folder, found = []) {
  for (const entry of fs.readdirSync(base + path.sep + folder, { withFileTypes: true })) {
    const file = folder === "" ? entry.name : folder + path.sep + entry.name;
    if (entry.isDirectory()) filesBelow(base, file, found);
    else found.push(file);
  }
  return found;
}

const isSource = (file) => file.endsWith(".ts") && !file.endsWith(".test.ts") && !file.endsWith(".d.ts");
/** The compiled file of a source; both relative to their roots. */
const madeOf = (source) => `${source.slice(0, -".ts".length)}.js`;
const sourceOf = (made) => `${made.slice(0, -".js".length)}.ts`;

/**
 * Two times of a file in milliseconds; -1 and 0 where it does not exist. Written in the syntax of an old Node, which must be able to parse
 * this file so that node-version.cjs can refuse it.
 */
function times(file) {
  const found = fs.statSync(file, { throwIfNoEntry: false });
  return found === undefined ? { modified: -1, changed: 0 } : { modified: Math.round(found.mtimeMs), changed: found.ctimeMs };
}

const modified = (file) => times(file).modified;

/**
 * A target has the modification time of the source that it was made of, so that any other one, older ones included, is compiled.
 * Time and text arrive together, by a rename: several processes may build at once, and none sees half a file.
 */
function compileTo(target, source, time) {
  const code = compile(root, source);
  fs.mkdirSync(path.dirname(target), { recursive: true });
  const part = `${target}.${process.pid}.part`;
  fs.writeFileSync(part, code);
  fs.utimesSync(part, new Date(time), new Date(time));
  fs.renameSync(part, target);
}

/** @param made compiled files that have a source; this adds those that it finds */
function compileChanged(everything, made) {
  let compiled = 0;
  for (const folder of SOURCE_FOLDERS) {
    if (!fs.existsSync(path.join(root, folder))) continue;
    for (const name of filesBelow(root, folder)) {
      if (!isSource(name)) continue;
      const source = root + path.sep + name;
      const target = out + path.sep + madeOf(name);
      const time = modified(source);
      // The source was removed after its folder was read.
      if (time === -1) continue;
      made.add(madeOf(name));
      if (!everything && modified(target) === time) continue;
      compileTo(target, source, time);
      compiled++;
    }
  }
  return compiled;
}

/** By its change time (ctime): its modification time may be that of its source. */
const isAbandoned = (part) => Date.now() - times(part).changed > PART_AGE;

/** Removes compiled files without a source, and abandoned part files. @param made files that have a source */
function sweep(made) {
  let removed = 0;
  if (!fs.existsSync(out)) return removed;
  for (const name of filesBelow(out, "")) {
    const file = out + path.sep + name;
    // Another build may have compiled it from a new source.
    const isStale = name.endsWith(".js") ? !made.has(name) && !fs.existsSync(path.join(root, sourceOf(name))) : name.endsWith(".part") && isAbandoned(file);
    if (!isStale) continue;
    fs.rmSync(file, { force: true });
    if (name.endsWith(".js")) removed++;
  }
  return removed;
}

/**
 * Brings bin/ up to date.
 * @returns {{ compiled: number, removed: number }} how many files were compiled, and how many stale ones removed
 * @throws {SourceError} for a source that is no TypeScript
 */
function build() {
  const stamp = compilerStamp(root);
  const current = fs.existsSync(stampFile) ? fs.readFileSync(stampFile, "utf8") : "";
  const made = new Set();
  let compiled = compileChanged(current !== stamp, made);
  for (let round = 1, more = compiled; more > 0 && round < ROUNDS; round++) {
    more = compileChanged(false, made);
    compiled += more;
  }
  const removed = sweep(made);
  // A changed stamp file tells the compile cache that a name may lead elsewhere now (common/compile-cache.ts).
  if (compiled > 0 || removed > 0 || current !== stamp) {
    fs.mkdirSync(out, { recursive: true });
    const part = `${stampFile}.${process.pid}.part`;
    fs.writeFileSync(part, stamp);
    fs.renameSync(part, stampFile);
  }
  return { compiled, removed };
}

module.exports = { build };
if (require.main === module) {
  try {
    const { compiled, removed } = build();
    if (compiled || removed) process.stdout.write(`build: ${compiled} compiled, ${removed} removed\n`);
  } catch (thrown) {
    endWith(thrown);
  }
}
