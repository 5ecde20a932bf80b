// Packages as our programs have them, in Jest, whose modules pass by neither Node's `require` nor our preloads:
// - What the SDK and zod load at their start and hardly ever use is loaded when it is used (common/defer-module.ts): the TypeScript
//   compiler, npm's dependency tree, the Automation API, zod's texts in forty languages. That is two thirds of what a test file that
//   imports the SDK would take to load.
// - The SDK takes a stack trace for each promise, for those that are left over at the end of a program, and one of all frames for each
//   resource. Under Jest every frame is looked for in source maps: more than half of the processor time of a test that runs a program.
//   Our programs take none for promises and one frame for a resource (engine/program/sdk-diagnostics.ts).
"use strict";
const crypto = require("node:crypto");
const fs = require("node:fs");

/** An export that is required when it is read. */
const lazyExport = (name, required) => `Object.defineProperty(exports, "${name}", { enumerable: true, configurable: true, get: () => require("${required}") })`;
/** What a module exports, by name, of a module that is required when the first name is read. */
const lazy = (required) => `new Proxy({}, { get: (_, key) => require("${required}")[key] })`;
// No getter: who copies all of zod would read it.
const LOCALES = [['__importStar(require("../locales/index.cjs"))', lazy("../locales/index.cjs")]];

/** By the end of a file's path: what stands there once, and what takes its place. */
const CHANGES = {
  "@pulumi/pulumi/index.js": [
    ['const automation = __importStar(require("./automation"));\nexports.automation = automation', lazyExport("automation", "./automation")],
  ],
  "@pulumi/pulumi/resource.js": [["Error.stackTraceLimit = Number.POSITIVE_INFINITY", "Error.stackTraceLimit = 0"]],
  "@pulumi/pulumi/runtime/closure/codePaths.js": [['__importStar(require("@npmcli/arborist"))', lazy("@npmcli/arborist")]],
  "@pulumi/pulumi/runtime/closure/parseFunction.js": [['require("../../typescript-shim")', lazy("../../typescript-shim")]],
  "@pulumi/pulumi/runtime/debuggable.js": [["new Error().stack", "undefined"]],
  "zod/v4/classic/external.cjs": LOCALES,
  "zod/v4/core/index.cjs": LOCALES,
};

/** Which files these are, as a regular expression. */
const FILES = `(${Object.keys(CHANGES)
  .map((file) => file.replaceAll(".", "\\."))
  .join("|")})$`;

function process(source, file) {
  const [, changes] = Object.entries(CHANGES).find(([end]) => file.replaceAll("\\", "/").endsWith(`/${end}`)) ?? [];
  let code = source;
  for (const [from, to] of changes ?? []) {
    const [before, after, ...more] = code.split(from);
    if (after === undefined || more.length > 0) throw new Error(`${file} does not have ${from} once: see ${__filename}`);
    code = `${before}${to}${after}`;
  }
  return { code };
}

/** What Jest has kept of an earlier version of this file is no longer it. */
const getCacheKey = (source, file) => crypto.createHash("sha256").update(fs.readFileSync(__filename)).update(`\0${file}\0`).update(source).digest("hex");

module.exports = { FILES, getCacheKey, process };
