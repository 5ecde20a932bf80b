// Jest and the SDK create instances of AsyncLocalStorage ("stores") for each test file. Up to Node 22, every promise of a process copies
// the value of each enabled store. If nothing disables them, the hundredth file of a worker pays for the stores of all files before it.
"use strict";
const { AsyncLocalStorage } = require("node:async_hooks");

/** Stores that were used since the last test file ended. */
const used = new Set();

/** From now on, stores that are used are added to `used`. A second call does nothing. */
function watchStores() {
  const { prototype } = AsyncLocalStorage;
  if (prototype.run.watched) return;
  for (const name of ["run", "enterWith"]) {
    const original = prototype[name];
    prototype[name] = Object.assign(
      function (...given) {
        used.add(this);
        return original.apply(this, given);
      },
      { watched: true },
    );
  }
}

/** Disables the stores of a test file that has ended. */
function endStores() {
  for (const store of used) store.disable();
  used.clear();
}

module.exports = { endStores, watchStores };
