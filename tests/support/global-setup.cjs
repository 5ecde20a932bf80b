// Tests run the launchers, and those run what is in bin/: bring it up to date once, before the first test.
"use strict";
module.exports = async () => {
  require("../../build/build.cjs").build();
};
