// Preloaded into programs. In Node 20.20, util.inspect with colours does not end for a stack trace with a line such as
// `node_modules/@pulumi/resource.ts:1598:22)`: it looks for a separator after the package's name, finds none, and starts again. So the
// CLI on that Node takes two minutes and a gigabyte to show that a program threw. Node 24 does not have the fault.
"use strict";
const util = require("node:util");

const NO_FOLDER_BEHIND = /[/\\]node_modules[/\\](?:@[^/\\\n]*[/\\])?[^/\\\n]*$/m;
const { inspect } = util;

util.inspect = Object.assign((value, options, ...more) => {
  const endless = options?.colors === true && typeof value?.stack === "string" && NO_FOLDER_BEHIND.test(value.stack);
  return inspect(value, endless ? { ...options, colors: false } : options, ...more);
}, inspect);
