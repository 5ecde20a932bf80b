// Whether the type checker refuses a changed source: what `npm run typecheck` would say of that file alone.
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const ts = require("typescript");

/**
 * @param {string} root of a checkout with tsconfig.json
 * @returns {(file: string, text: string) => string | undefined} of a path below the root and its changed text: what is refused first
 */
function typeChecker(root) {
  const { config } = ts.readConfigFile(path.join(root, "tsconfig.json"), ts.sys.readFile);
  const { fileNames, options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  let changed = { name: "", text: "", version: 0 };
  const textOf = (name) => (name === changed.name ? changed.text : fs.existsSync(name) ? fs.readFileSync(name, "utf8") : undefined);
  const service = ts.createLanguageService({
    getCompilationSettings: () => ({ ...options, noEmit: true }),
    getScriptFileNames: () => fileNames,
    getScriptVersion: (name) => (name === changed.name ? `changed ${changed.version}` : "as it is"),
    getScriptSnapshot: (name) => {
      const text = textOf(name);
      return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
    },
    getCurrentDirectory: () => root,
    getDefaultLibFileName: ts.getDefaultLibFilePath,
    fileExists: ts.sys.fileExists,
    readFile: ts.sys.readFile,
    readDirectory: ts.sys.readDirectory,
    directoryExists: ts.sys.directoryExists,
    getDirectories: ts.sys.getDirectories,
    realpath: ts.sys.realpath,
  });
  return (file, text) => {
    const name = path.join(root, file);
    changed = { name, text, version: changed.version + 1 };
    const [first] = service.getSemanticDiagnostics(name).filter(({ category }) => category === ts.DiagnosticCategory.Error);
    return first === undefined ? undefined : ts.flattenDiagnosticMessageText(first.messageText, "\n").split("\n")[0];
  };
}

module.exports = { typeChecker };
