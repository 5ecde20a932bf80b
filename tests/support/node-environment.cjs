// Jest's Node environment, with our own environment variables: a test file's process.env is a copy of this process's.
"use strict";
const { TestEnvironment } = require("jest-environment-node");
const { keepCode } = require("./code-cache.cjs");
const { endStores, watchStores } = require("./context-stores.cjs");
const { applyOwnEnvironment } = require("./own-environment.cjs");

module.exports = class extends TestEnvironment {
  constructor(...given) {
    applyOwnEnvironment();
    keepCode();
    watchStores();
    super(...given);
    // See outside-vm.ts.
    this.global.requireOutsideVm = require;
  }

  async teardown() {
    await super.teardown();
    endStores();
  }
};
