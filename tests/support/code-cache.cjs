// Jest compiles each module again for each test file that loads it. This keeps V8's compiled code as long as a worker runs.
"use strict";
const vm = require("node:vm");

/** For each file, the text and V8's compiled code of it. */
const kept = new Map();

/** From now on, compiling the same text under the same name uses the kept code. A second call does nothing. */
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
      // A copy, since V8's buffer belongs to the realm of the test file that ran first, and would keep all of that file in memory.
      kept.set(filename, { code, data: Buffer.from(made.cachedData) });
      return made;
    },
    { keepsCode: true },
  );
}

module.exports = { keepCode };
