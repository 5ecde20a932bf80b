"use strict";
require("../../build/ensure.cjs");
require("../../bin/providers/command/main.js");
