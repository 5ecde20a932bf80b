"use strict";
module.exports = {
  testEnvironment: "node",
  roots: ["common", "engine", "providers", "lab", "orchestrator", "components", "stacks", "secrets", "ansible-replacements", "tests"].map(
    (d) => `<rootDir>/${d}`,
  ),
  testMatch: ["**/*.test.ts"],
  transform: { "^.+\\.ts$": ["@swc/jest", { jsc: { parser: { syntax: "typescript" }, target: "es2023" }, module: { type: "commonjs" } }] },
  globalSetup: "<rootDir>/tests/support/global-setup.cjs",
  reporters: ["default", "<rootDir>/tests/support/count-reporter.cjs"],
  testTimeout: 60_000,
  // A test that fails half-way may leave its servers open: that must not keep the whole run from ending.
  forceExit: true,
};
