// Jest's environment of the tests, which also notes what processor time each file took: see run.mjs.
"use strict";
const fs = require("node:fs");
const TestEnvironment = require("../../tests/support/node-environment.cjs");
const { childrenCpu } = require("../children-cpu.cjs");

const LAST_MS = 300;

/** Seconds that this process, and all its children that have ended and were waited for, have used so far. */
function used() {
  const { user, system } = process.cpuUsage();
  return { own: (user + system) / 1e6, children: childrenCpu() };
}

module.exports = class extends TestEnvironment {
  constructor(config, context) {
    const before = used();
    super(config, context);
    this.measured = { before, started: Date.now(), file: context.testPath };
  }

  async teardown() {
    // Waits for a process that the last test is ending: its time counts only once it has ended.
    await new Promise((resolve) => setTimeout(resolve, LAST_MS));
    const { before, started, file } = this.measured;
    const { own, children } = used();
    const line = {
      file,
      own: own - before.own,
      children: children === undefined ? undefined : children - before.children,
      wall: (Date.now() - started) / 1000,
    };
    fs.appendFileSync(process.env.HOMELAB_TEST_TIMES, `${JSON.stringify(line)}\n`);
    await super.teardown();
  }
};
