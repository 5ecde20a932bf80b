"use strict";
const { SOURCE_FOLDERS } = require("./build/source-folders.cjs");
const lean = require("./tests/support/lean-modules.cjs");
const { filesOf } = require("./tests/support/rehearsals.cjs");

require("./tests/support/own-environment.cjs").applyOwnEnvironment();
// biome-ignore lint/style/noProcessEnv: the switches between the parts are the environment
const { HOMELAB_TEST_REAL, HOMELAB_TEST_PART } = process.env;
/** `make test-real`: only what needs real programs. All the rest is `make test` and `make test-rehearsals`. */
const real = HOMELAB_TEST_REAL === "1";

/** Files of packages that lean-modules.cjs changes. */
const LEAN = `/node_modules/${lean.FILES}`;

module.exports = {
  testEnvironment: "<rootDir>/tests/support/node-environment.cjs",
  roots: [...SOURCE_FOLDERS, "tests"].map((d) => `<rootDir>/${d}`),
  ...(real ? { testMatch: ["**/*.real.test.ts"] } : filesOf(HOMELAB_TEST_PART)),
  transform: {
    [LEAN]: "<rootDir>/tests/support/lean-modules.cjs",
    "^.+\\.ts$": ["@swc/jest", { jsc: { parser: { syntax: "typescript" }, target: "es2023" }, module: { type: "commonjs" } }],
  },
  transformIgnorePatterns: [`/node_modules/(?!${lean.FILES})`],
  globalSetup: "<rootDir>/tests/support/global-setup.cjs",
  testSequencer: real ? "<rootDir>/tests/support/real-sequencer.cjs" : "<rootDir>/tests/support/longest-first.cjs",
  reporters: ["default", "<rootDir>/tests/support/count-reporter.cjs"],
  // Jest's default would be one worker on two cores. The long files mostly wait for a process, an answer or a disk: even two workers left
  // two cores half idle.
  maxWorkers: 4,
  maxConcurrency: 2,
  // Tests that drive a whole lab take minutes of their own and say so themselves.
  testTimeout: real ? 300_000 : 120_000,
  // A test that fails half-way may leave its servers open. That must not prevent the end of the whole run.
  forceExit: true,
};
