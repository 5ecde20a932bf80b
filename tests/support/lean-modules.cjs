// Changes packages for Jest in the same way as our preloads do for programs. Jest's modules use neither Node's `require` nor our preloads.
// - Parts that the SDK and zod load at their start and rarely use are loaded on first use (common/defer-module.ts): the TypeScript
//   compiler, npm's dependency tree, the Automation API, zod's messages in forty languages. That saves two thirds of the load time of a
//   test file that imports the SDK.
// - The SDK records a stack trace for each promise, to report promises that a program left unresolved, and a full one for each resource.
//   Jest looks up every frame in source maps, which is more than half of the processor time of a test that runs a program. Here neither
//   gets a trace. In our programs a resource gets one frame, since the state has its position (engine/program/sdk-diagnostics.ts).
"use strict";
const crypto = require("node:crypto");
const fs = require("node:fs");

/** Code of an export that is required when it is read. */
const lazyExport = (name, required) => `Object.defineProperty(exports, "${name}", { enumerable: true, configurable: true, get: () => require("${required}") })`;
/** Code of the exports of a module that is required when the first of them is read. */
const lazy = (required) => `new Proxy({}, { get: (_, key) => require("${required}")[key] })`;
// Not a getter: code that copies all exports of zod would read it.
const LOCALES = [['__importStar(require("../locales/index.cjs"))', lazy("../locales/index.cjs")]];

/** By the end of a file's path: a text that the file has once, and its replacement. */
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

/** A regular expression for these files. */
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

/** The key of Jest's cache includes this file, so that results of an earlier version are not used. */
const getCacheKey = (source, file) => crypto.createHash("sha256").update(fs.readFileSync(__filename)).update(`\0${file}\0`).update(source).digest("hex");

module.exports = { FILES, getCacheKey, process };
