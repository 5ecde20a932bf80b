// What `pulumi up` and the embedded engine load (package.json `main`): the compiled program.
"use strict";
require("../build/ensure.cjs");
module.exports = require("../bin/stacks/index.js");
