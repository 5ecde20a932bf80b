// Tests run the launchers, which run what is in bin/. So bin/ is brought up to date once, before the first test. What tests start of this
// checkout does not check it again, since that would take more processor time than many commands.
"use strict";
const path = require("node:path");

module.exports = async () => {
  require("../../build/build.cjs").build();
  process.env.HOMELAB_TEST_BUILT = path.resolve(__dirname, "../..");
};
