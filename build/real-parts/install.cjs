// Builds what is missing, in the list's order, which is the order of worth.
"use strict";
const fs = require("node:fs");
const builders = require("./builders.cjs");
const { about, budgetFrom, Pace, tooLong } = require("./budget.cjs");
const { cache, find, homeOf, parts, reasonFile, recipe, stampOf } = require("./cache.cjs");
const { go, goCache, removeCaches } = require("./go.cjs");
const { takeLock } = require("./lock.cjs");

const GB = 1e9;
/** A large part fills Go's caches by about this much, its program included. */
const FREE_BYTES = 6 * GB;

/** A part's folder has its stamp only when it is whole. */
async function inNewHome(part, make) {
  const home = homeOf(part);
  fs.rmSync(home, { recursive: true, force: true });
  fs.mkdirSync(home, { recursive: true });
  await make(home);
  fs.writeFileSync(stampOf(part), `${recipe(part)}\n`);
}

function needSpace() {
  const { bavail, bsize } = fs.statfsSync(cache);
  if (bavail * bsize >= FREE_BYTES) return;
  throw new Error(`the disk is nearly full: ${((bavail * bsize) / GB).toFixed(1)} GB are free below ${cache}, and a build may need ${FREE_BYTES / GB}`);
}

const build = (part, options) =>
  inNewHome(part, (home) => {
    if (part.kind !== "go") return builders[part.kind](part, { ...options, home });
    needSpace();
    return go(part, { ...options, home });
  });

/** Installs all of Debian's packages at once. If that fails, one after the other, so that one missing package does not prevent the others. */
async function debian(missing, options, report) {
  try {
    await builders.debianPackages(missing, options);
    for (const part of missing) report.done(part);
  } catch (error) {
    const alone = missing.length === 1 || options.signal.aborted;
    for (const part of missing) await (alone ? report.failed(part, error) : debian([part], options, report));
  }
}

function wantedParts(names) {
  const unknown = names.find((name) => !parts.some((part) => part.name === name));
  if (unknown !== undefined) throw new Error(`no part is named ${unknown}; there are ${parts.map((part) => part.name).join(", ")}`);
  return parts.filter((part) => (names.length === 0 || names.includes(part.name)) && find(part) === undefined);
}

/** Reports the result of each part: on the screen, and in a file for the tests that need the part. */
const reporter = () => ({
  done(part) {
    fs.rmSync(reasonFile(part), { force: true });
  },
  failed(part, error) {
    fs.writeFileSync(reasonFile(part), `${error.message.split("\n")[0]}\n`);
    console.log(`cannot install ${part.name}: ${error.message}`);
  },
  skipped(part, why) {
    fs.writeFileSync(reasonFile(part), `${why}\n`);
    console.log(`skipped ${part.name}: ${why}`);
  },
});

async function each(wanted, { signal, budgetMs, startedAt }, report) {
  const pace = new Pace();
  let unfinished = 0;
  for (const [index, part] of wanted.entries()) {
    const leftMs = budgetMs === undefined ? undefined : budgetMs - (Date.now() - startedAt);
    const expected = pace.expect(part.minutes);
    const skipped = signal.aborted ? "make real-parts was stopped before it; the next one builds it" : tooLong(expected, leftMs, budgetMs);
    if (skipped !== undefined) {
      report.skipped(part, skipped);
      unfinished += 1;
      continue;
    }
    const left = wanted.slice(index + 1).map((one) => one.name);
    console.log(`${index + 1} of ${wanted.length}: ${part.name}, ${about(expected)}${left.length === 0 ? "" : `; left: ${left.join(", ")}`}`);
    const began = Date.now();
    try {
      await build(part, { signal, ...(leftMs === undefined ? {} : { timeoutMs: leftMs }) });
      report.done(part);
      if (part.kind === "go") pace.learn(part.minutes, Date.now() - began);
      console.log(`installed ${part.name} in ${Math.round((Date.now() - began) / 1000)} s`);
    } catch (error) {
      if (error.stopped) unfinished += 1;
      report.failed(part, error.stopped ? new Error(`its build was cut (${error.message}); the next make real-parts goes on where it stood`) : error);
    }
  }
  return unfinished;
}

/** Installs the named parts, or all. A part that cannot be had is named with the reason and is no error. */
async function install(names, signal) {
  const budgetMs = budgetFrom(process.env.HOMELAB_REAL_BUDGET);
  const wanted = wantedParts(names);
  fs.mkdirSync(cache, { recursive: true });
  const release = takeLock(cache);
  try {
    const report = reporter();
    const startedAt = Date.now();
    const packages = wanted.filter((part) => part.kind === "debian");
    if (packages.length > 0) await debian(packages, { signal }, report);
    const unfinished = await each(
      wanted.filter((part) => part.kind !== "debian"),
      { signal, budgetMs, startedAt },
      report,
    );
    // Compiled files are kept for the next run while a part is still missing: interrupted, skipped, or not named in this run.
    const unnamed = parts.some((part) => part.kind === "go" && names.length > 0 && !names.includes(part.name) && find(part) === undefined);
    if (unfinished === 0 && !unnamed && process.env.HOMELAB_REAL_KEEP_CACHE !== "1" && fs.existsSync(goCache)) {
      removeCaches();
      console.log("removed Go's caches of these builds");
    }
  } finally {
    release();
  }
}

module.exports = { install };
