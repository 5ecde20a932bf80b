// Launchers call this first: a checkout that was never built is built once (about a second). A built one costs one stat.
"use strict";
const fs = require("node:fs");
const path = require("node:path");

const stamp = path.join(__dirname, "..", "bin", ".built");
if (!fs.existsSync(stamp)) require("./build.cjs").build();
