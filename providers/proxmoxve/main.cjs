"use strict";
require("../../build/ensure.cjs");
require("../../bin/providers/proxmoxve/main.js");
