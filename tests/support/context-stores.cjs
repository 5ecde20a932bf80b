// Each file's Jest and SDK make stores of asynchronous contexts of their own (AsyncLocalStorage). Up to Node 22 every promise of a
// process hands each store's value on, for as long as the store is enabled: without an end, the hundredth file of a worker pays for the
// stores of all files before it.
"use strict";
const { AsyncLocalStorage } = require("node:async_hooks");

/** Those that were used since the last file ended. */
const used = new Set();

/** From now on what is used is known. Again changes nothing more. */
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

/** A file has ended: nothing hands its stores' values on any more. */
function endStores() {
  for (const store of used) store.disable();
  used.clear();
}

module.exports = { endStores, watchStores };
