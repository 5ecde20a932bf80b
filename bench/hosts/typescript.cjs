// Lets a benchmark load the tests' TypeScript: compiled in memory, without types.
"use strict";
const fs = require("node:fs");
const { transformSync } = require("@swc/core");

require.extensions[".ts"] = (module, filename) => {
  const options = { filename, jsc: { parser: { syntax: "typescript" }, target: "es2023" }, module: { type: "commonjs" }, swcrc: false };
  module._compile(transformSync(fs.readFileSync(filename, "utf8"), options).code, filename);
};
