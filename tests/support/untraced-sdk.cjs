// The Pulumi SDK takes a stack trace for each promise, for those that are left over at the end of a program, and one of all frames for
// each resource. Under Jest every frame is looked for in source maps: more than half of the processor time of a test that runs a
// program. Our programs take none for promises and one frame for a resource (engine/program/sdk-diagnostics.ts).
"use strict";
const path = require("node:path");

/** By file of the SDK: what stands there once, and what takes its place. */
const CHANGES = {
  "debuggable.js": ["new Error().stack", "undefined"],
  "resource.js": ["Error.stackTraceLimit = Number.POSITIVE_INFINITY", "Error.stackTraceLimit = 0"],
};

module.exports = {
  process(source, file) {
    const [trace, instead] = CHANGES[path.basename(file)];
    const [before, after, ...more] = source.split(trace);
    if (after === undefined || more.length > 0) throw new Error(`${file} does not have ${trace} once: see ${__filename}`);
    return { code: `${before}${instead}${after}` };
  },
};
