// Compiles every TypeScript source to bin/ (same tree, CommonJS), file by file and only what is older than its source.
// Types are not checked here (`npm run typecheck` does), so a full build takes about a second and nothing compiles at run time.
"use strict";
const fs = require("node:fs");
const path = require("node:path");

const root = path.resolve(__dirname, "..");
const out = path.join(root, "bin");
const FOLDERS = ["common", "engine", "providers", "lab", "orchestrator", "components", "stacks", "secrets", "ansible-replacements"];
const OPTIONS = {
  jsc: { parser: { syntax: "typescript" }, target: "es2023" },
  module: { type: "commonjs" },
  sourceMaps: false,
  swcrc: false,
};

function* sources(folder) {
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) yield* sources(file);
    else if (entry.name.endsWith(".ts") && !entry.name.endsWith(".test.ts") && !entry.name.endsWith(".d.ts")) yield file;
  }
}

/** Modification time in ms, or -1 where the file does not exist. */
const modified = (file) => fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? -1;

/** Brings bin/ up to date; returns how many files were compiled and how many stale ones were removed. */
function build() {
  let compiled = 0;
  const wanted = new Set();
  let swc;
  for (const folder of FOLDERS) {
    if (!fs.existsSync(path.join(root, folder))) continue;
    for (const source of sources(path.join(root, folder))) {
      const target = path.join(out, path.relative(root, source).replace(/\.ts$/, ".js"));
      wanted.add(target);
      if (modified(target) >= modified(source)) continue;
      swc ??= require("@swc/core");
      const { code } = swc.transformFileSync(source, { ...OPTIONS, filename: source });
      fs.mkdirSync(path.dirname(target), { recursive: true });
      // Several processes may build at once (first use of two launchers): a rename never shows half a file.
      const part = `${target}.${process.pid}.part`;
      fs.writeFileSync(part, code);
      fs.renameSync(part, target);
      compiled++;
    }
  }
  let removed = 0;
  const sweep = (folder) => {
    for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
      const file = path.join(folder, entry.name);
      if (entry.isDirectory()) sweep(file);
      else if (file.endsWith(".js") && !wanted.has(file)) {
        fs.rmSync(file);
        removed++;
      }
    }
  };
  if (fs.existsSync(out)) sweep(out);
  fs.mkdirSync(out, { recursive: true });
  fs.writeFileSync(path.join(out, ".built"), "");
  return { compiled, removed };
}

module.exports = { build };
if (require.main === module) {
  const { compiled, removed } = build();
  if (compiled || removed) process.stdout.write(`build: ${compiled} compiled, ${removed} removed\n`);
}
