// Tests run the launchers, and those run what is in bin/: bring it up to date once, before the first test. Nothing that a test starts
// of this checkout does so again: it would take more processor time than many a command itself.
"use strict";
const path = require("node:path");

module.exports = async () => {
  require("../../build/build.cjs").build();
  process.env.HOMELAB_TEST_BUILT = path.resolve(__dirname, "../..");
};
