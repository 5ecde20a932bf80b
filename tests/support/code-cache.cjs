// Jest compiles each module anew for each test file that loads it. Here V8 keeps what it made of it, for as long as a worker runs.
"use strict";
const vm = require("node:vm");

/** Compiled code by file, of the text that it was made of. */
const kept = new Map();

/** From now on a text that was compiled before under the same name is taken from what V8 kept of it. Again changes nothing more. */
function keepCode() {
  const compile = vm.compileFunction;
  if (compile.keepsCode) return;
  vm.compileFunction = Object.assign(
    (code, parameters, options) => {
      const { filename } = options ?? {};
      if (filename === undefined) return compile(code, parameters, options);
      const before = kept.get(filename);
      if (before?.code === code) {
        const found = compile(code, parameters, { ...options, cachedData: before.data });
        if (!found.cachedDataRejected) return found;
      }
      const made = compile(code, parameters, { ...options, produceCachedData: true });
      // A copy: V8's own is an object of the test file that ran first, and would keep all of that file's in memory.
      kept.set(filename, { code, data: Buffer.from(made.cachedData) });
      return made;
    },
    { keepsCode: true },
  );
}

module.exports = { keepCode };
