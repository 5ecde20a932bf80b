"use strict";
require("../../build/ensure.cjs");
require("../../bin/providers/vault/main.js");
