// The first line of every entry (homelab, the engine, the program under `pulumi up`, the providers): compiles what changed, so that
// no command runs code other than the checkout's. Some ten milliseconds where nothing did. The processes that an entry starts run
// what it has compiled: HOMELAB_BUILT names the checkout for them.
"use strict";
require("./node-version.cjs");
const path = require("node:path");
const { endWith } = require("./compile.cjs");

const MARK = "HOMELAB_BUILT";
const root = path.resolve(__dirname, "..");

function ensure() {
  if (process.env[MARK] === root) return;
  try {
    require("./build.cjs").build();
  } catch (thrown) {
    // A launcher ends here; the program is loaded by Pulumi's runner, which reports what is thrown.
    if (require.main === module.parent) endWith(thrown);
    throw thrown;
  }
  process.env[MARK] = root;
}

ensure();
