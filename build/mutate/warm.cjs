// Runs test files in this process, one after the other, with Jest's own `test` and `expect`, but without Jest: packages stay loaded,
// only our modules are loaded anew for each file. A test file costs tenths of a second this way, and seconds in Jest.
// build/mutate/warm-process.cjs asks it from outside.
"use strict";
const fs = require("node:fs");
const Module = require("node:module");
const path = require("node:path");

/** As in jest.config.cjs. */
const TEST_TIMEOUT = 120_000;
/** Turns of the event loop for work that a failed test left running. */
const TURNS = 100;

/**
 * @param {string} root of the checkout whose tests are run; `process.cwd()` is it
 * @returns the runner; once in a process, since it changes how Node loads modules
 */
function warmRunner(root) {
  const { compile } = require(path.join(root, "build", "compile.cjs"));
  const { transform } = require(path.join(root, "jest.config.cjs"));
  const circus = require("jest-circus");
  const { expect } = require("expect");
  const { afterAll, afterEach, beforeAll, beforeEach, describe, it, test } = circus;
  Object.assign(globalThis, { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, requireOutsideVm: require, test });
  const limit = (milliseconds) => {
    globalThis[Symbol.for("TEST_TIMEOUT_SYMBOL")] = milliseconds;
  };
  // The only method of the `jest` object that these tests use.
  globalThis.jest = { setTimeout: limit };

  const isOurs = (file) => file.startsWith(`${root}${path.sep}`) && !file.includes(`${path.sep}node_modules${path.sep}`);
  const compiled = new Map();
  /** The compiled code of a source. Each text is compiled once. */
  const codeOf = (file) => {
    const source = fs.readFileSync(file, "utf8");
    const known = compiled.get(file);
    if (known?.source === source) return known.code;
    const code = compile(root, file);
    compiled.set(file, { source, code });
    return code;
  };
  let loaded = new Set();
  Module._extensions[".ts"] = (module, file) => {
    loaded.add(path.relative(root, file));
    module._compile(codeOf(file), file);
  };
  changePackages(root, transform);

  function forgetOurs() {
    for (const [file, module] of Object.entries(require.cache)) {
      if (isOurs(file) && file.endsWith(".ts")) delete require.cache[file];
      else if (module !== undefined) module.children = module.children.filter((child) => !isOurs(child.filename ?? ""));
    }
  }

  /** @returns what went wrong, empty if nothing did; which of our sources were loaded; how long it took */
  async function run(file) {
    const begun = process.hrtime.bigint();
    const wrong = [];
    const listeners = ["uncaughtException", "unhandledRejection"].map((event) => [event, process.rawListeners(event)]);
    const note = (error) => wrong.push(error);
    for (const [event] of listeners) process.removeAllListeners(event).on(event, note);
    const env = { ...process.env };
    loaded = new Set();
    forgetOurs();
    circus.resetState();
    limit(TEST_TIMEOUT);
    try {
      require(path.join(root, file));
      const { testResults, unhandledErrors } = await circus.run();
      wrong.push(...testResults.flatMap(({ errors }) => errors), ...unhandledErrors);
      if (testResults.length === 0) wrong.push("there is no test in it");
    } catch (error) {
      wrong.push(error);
    }
    for (let turn = 0; turn < (wrong.length > 0 ? TURNS : 1); turn++) await new Promise((resolve) => setImmediate(resolve));
    for (const [event, before] of listeners) {
      process.removeAllListeners(event);
      for (const listener of before) process.on(event, listener);
    }
    for (const name of Object.keys(process.env)) if (!(name in env)) delete process.env[name];
    Object.assign(process.env, env);
    return { wrong: wrong.map(textOf), loaded: [...loaded].toSorted(), seconds: Number(process.hrtime.bigint() - begun) / 1e9 };
  }
  /** Drops what tests of one run share (tests/support/stack-run.ts): it was made from the sources before the change. */
  function forgetRun() {
    const home = process.env.HOMELAB_TEST_HOME;
    for (const name of fs.readdirSync(home)) if (name.startsWith("registered-")) fs.rmSync(path.join(home, name));
  }
  return { run, forgetRun };
}

/** Files of packages that jest.config.cjs gives to a transformer of ours. */
function changePackages(root, transform) {
  const own = Object.entries(transform).filter(([, transformer]) => typeof transformer === "string" && transformer.startsWith("<rootDir>/"));
  const changes = own.map(([pattern, transformer]) => ({ pattern: new RegExp(pattern), ...require(transformer.replace("<rootDir>", root)) }));
  const plain = Module._extensions[".js"];
  Module._extensions[".js"] = (module, file) => {
    const change = changes.find(({ pattern }) => pattern.test(file));
    if (change === undefined) return plain(module, file);
    module._compile(change.process(fs.readFileSync(file, "utf8"), file).code, file);
  };
}

const textOf = (error) => String(Array.isArray(error) ? textOf(error[0] ?? error[1]) : (error?.stack ?? error)).slice(0, 2000);

module.exports = { warmRunner };
