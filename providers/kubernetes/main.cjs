"use strict";
require("../../build/ensure.cjs");
require("../../bin/providers/kubernetes/main.js");
