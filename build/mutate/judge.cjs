// Which tests notice a changed source: those that load it, in one warm process, until the first that fails.
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const { compile } = require("../compile.cjs");
const { secondsFor } = require("./time-limit.cjs");
const { WarmProcess } = require("./warm-process.cjs");

/** Fails when anything at all that is registered changes: it is asked last, and what it alone notices is counted apart. */
const RECORD = "site/tests/program/registrations.test.ts";
/** Processes grow: a new one begins after this many changes. */
const CHANGES_A_PROCESS = 50;
/** Time limit of a test before anything is changed. A busy machine may need far longer than a quiet one. */
const UNCHANGED_SECONDS = 900;

class Judge {
  #root;
  #least;
  #process;
  /** By test file: seconds that it took unchanged, sources that it loaded. */
  #tests = new Map();
  #judged = 0;
  /** How often tests did not end in time. */
  late = 0;

  /**
   * @param {string} root of a copy of the checkout, whose sources are written to
   * @param {number} least seconds that a test may take after a change
   * @param process that runs the tests
   */
  constructor(root, least, process = new WarmProcess(root)) {
    this.#root = root;
    this.#least = least;
    this.#process = process;
  }

  /**
   * Runs test files with the sources unchanged.
   * @returns {Promise<{ test: string, why: string }[]>} those that fail in a warm process, and are not used further
   */
  async learn(tests) {
    const failed = [];
    for (const test of tests) {
      const answer = await this.#process.run(test, UNCHANGED_SECONDS);
      if (answer !== null && answer.wrong.length === 0) this.#tests.set(test, { seconds: answer.seconds, loaded: new Set(answer.loaded) });
      else failed.push({ test, why: answer === null ? `takes more than ${UNCHANGED_SECONDS} s` : answer.wrong[0].split("\n")[0] });
    }
    return failed;
  }

  /** The tests that load a source: those of its own folder first, then by time, the fastest first. */
  #testsOf(file) {
    const folder = path.posix.dirname(file);
    const rank = (test) => (test === RECORD ? 2 : path.posix.dirname(test) === folder ? 0 : 1);
    return [...this.#tests]
      .filter(([, { loaded }]) => loaded.has(file))
      .map(([test, { seconds }]) => ({ test, seconds }))
      .toSorted((a, b) => rank(a.test) - rank(b.test) || a.seconds - b.seconds);
  }

  /** @returns {Promise<"passes" | "fails" | "late">} late: it found no end in its time */
  async #ask({ test, seconds }) {
    const answer = await this.#process.run(test, secondsFor(this.#least, [seconds]));
    if (answer === null) this.late++;
    return answer === null ? "late" : answer.wrong.length > 0 ? "fails" : "passes";
  }

  #write(file, text) {
    fs.writeFileSync(path.join(this.#root, file), text);
    fs.writeFileSync(path.join(this.#root, "bin", file.replace(/\.ts$/, ".js")), compile(this.#root, path.join(this.#root, file)));
    this.#process.sourcesChanged();
  }

  /**
   * Whether a test fails after the change and passes without it. One that fails without it, too, was disturbed by remains of an earlier run.
   * One that is late without it, too, runs on a machine that has become busy: that says nothing about the change.
   */
  async #notices(each, { file, text, original }) {
    const changed = await this.#ask(each);
    if (changed === "passes") return false;
    this.#write(file, original);
    const honest = (changed === "fails" && this.#process.isNew) || (await this.#ask(each)) === "passes";
    if (!honest) this.#process.stop();
    this.#write(file, text);
    return honest || (await this.#ask(each)) === "fails";
  }

  /**
   * @param {{ file: string, text: string, original: string }} mutant
   * @returns {Promise<{ by: "beside" | "other" | "record", test: string } | { by: "nothing", asked: number }>}
   */
  async judge(mutant) {
    if (++this.#judged % CHANGES_A_PROCESS === 0) this.#process.stop();
    const tests = this.#testsOf(mutant.file);
    this.#write(mutant.file, mutant.text);
    try {
      for (const each of tests) {
        if (!(await this.#notices(each, mutant))) continue;
        const beside = path.posix.dirname(each.test) === path.posix.dirname(mutant.file);
        return { by: each.test === RECORD ? "record" : beside ? "beside" : "other", test: each.test };
      }
      return { by: "nothing", asked: tests.length };
    } finally {
      this.#write(mutant.file, mutant.original);
    }
  }

  end() {
    this.#process.stop();
  }
}

module.exports = { Judge };
