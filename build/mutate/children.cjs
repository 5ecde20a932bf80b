// Preloaded into what tests start (NODE_OPTIONS of warm-process.cjs): notes each of the compiled files that it loads, in a file.
// A checkout that a test has copied is noted as ours is: its compiled files lie in bin/ too.
"use strict";
const fs = require("node:fs");
const Module = require("node:module");
const path = require("node:path");

const { HOMELAB_MUTATE_ROOT: root, HOMELAB_MUTATE_LOADED: list } = process.env;

/** The source of a compiled file; undefined for any other file. */
function sourceOf(file) {
  const at = file.lastIndexOf(`${path.sep}bin${path.sep}`);
  if (at < 0 || file.includes(`${path.sep}node_modules${path.sep}`) || !file.endsWith(".js")) return undefined;
  const source = file.slice(at + 5).replace(/\.js$/, ".ts");
  return fs.existsSync(path.join(root, source)) ? source : undefined;
}

if (root !== undefined && list !== undefined) {
  const plain = Module._extensions[".js"];
  Module._extensions[".js"] = (module, file) => {
    const source = sourceOf(file);
    // The runner of the test may have ended already, and removed its folder.
    if (source !== undefined && fs.existsSync(path.dirname(list))) fs.appendFileSync(list, `${source}\n`);
    return plain(module, file);
  };
}
