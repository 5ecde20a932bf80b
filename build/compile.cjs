// Compiles one TypeScript source to CommonJS. An error in it becomes one message with file, line and a caret.
"use strict";
const fs = require("node:fs");
const { SourceMap, wrap } = require("node:module");
const path = require("node:path");
const vm = require("node:vm");

const OPTIONS = {
  jsc: { parser: { syntax: "typescript" }, target: "es2023" },
  module: { type: "commonjs" },
  sourceMaps: false,
  swcrc: false,
};

/** A source that is no TypeScript. Pulumi's runner shows an error with this mark as its message alone, without a stack trace. */
class SourceError extends Error {
  __pulumiRunError = true;

  /**
   * @param {string} file below the root
   * @param {number} line from 1
   * @param {number} column from 1
   * @param {string} what is wrong
   * @param {string} text of the line
   * @param {number} [width] of the mark below it
   */
  constructor(file, line, column, what, text, width = 1) {
    const margin = " ".repeat(String(line).length);
    // A tab takes the place of a tab, so that the caret stands below what it marks.
    const indent = text.slice(0, column - 1).replaceAll(/[^\t]/g, " ");
    super(`${file}:${line}:${column}: ${what}\n  ${line} | ${text}\n  ${margin} | ${indent}${"^".repeat(Math.max(1, width))}`);
    this.name = "SourceError";
  }
}

/** Colours, which the compiler adds at a terminal. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character is what is looked for
const COLOUR = /\u001b\[[0-9;]*m/g;

/** Reads swc's drawing: `x <what>`, a frame with numbered lines, below one of them the carets. */
function readDrawing(message) {
  const lines = message.replaceAll(COLOUR, "").split("\n");
  const what = /^\s*(?:x|×)\s+(.*)$/.exec(lines.find((line) => /^\s*(?:x|×)\s/.test(line)) ?? "")?.[1];
  const mark = lines.findIndex((line) => /^\s*[:·]\s.*[\^─]/.test(line));
  const above = mark < 1 ? null : /^(\s*(\d+)\s[|│] )/.exec(lines[mark - 1]);
  if (what === undefined || above === null) return undefined;
  const carets = /[\^─]+/.exec(lines[mark].slice(above[1].length));
  return carets === null ? undefined : { what, line: Number(above[2]), column: carets.index + 1, width: carets[0].length };
}

function syntaxError(file, source, thrown) {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const found = readDrawing(message);
  if (found === undefined) return new Error(`${file} cannot be compiled: ${message.split("\n\nCaused by")[0]}`, { cause: thrown });
  return new SourceError(file, found.line, found.column, found.what, source.split("\n")[found.line - 1] ?? "", found.width);
}

/** Finds errors that swc accepts and Node refuses, such as a name that is declared twice. @throws SourceError */
function checkCompiled(swc, file, source, code) {
  try {
    new vm.Script(wrap(code), { filename: file });
  } catch (thrown) {
    if (thrown?.name !== "SyntaxError") throw thrown;
    // `file:line`, the line, the carets.
    const [place, , carets] = thrown.stack.split("\n");
    const mapped = swc.transformSync(source, { ...OPTIONS, filename: file, sourceMaps: true });
    const line = Number(/:(\d+)$/.exec(place)?.[1] ?? 1);
    const entry = new SourceMap(JSON.parse(mapped.map)).findEntry(line - 1, Math.max(0, (carets ?? "").indexOf("^")));
    throw new SourceError(file, entry.originalLine + 1, entry.originalColumn + 1, thrown.message, source.split("\n")[entry.originalLine] ?? "");
  }
}

/**
 * @param {string} root of the checkout
 * @param {string} file its path
 * @returns {string} CommonJS
 * @throws {SourceError} for a file that is no TypeScript
 */
function compile(root, file) {
  const swc = require("@swc/core");
  const source = fs.readFileSync(file, "utf8");
  const name = path.relative(root, file);
  let code;
  try {
    ({ code } = swc.transformSync(source, { ...OPTIONS, filename: file }));
  } catch (thrown) {
    throw syntaxError(name, source, thrown);
  }
  checkCompiled(swc, name, source, code);
  return code;
}

/**
 * Changes with the compiler and its options: then everything is compiled anew.
 * @throws where no packages are installed
 */
function compilerStamp(root) {
  const manifest = path.join(root, "node_modules", "@swc", "core", "package.json");
  if (fs.existsSync(manifest)) return `${JSON.parse(fs.readFileSync(manifest, "utf8")).version} ${JSON.stringify(OPTIONS)}`;
  const missing = new Error(`the packages are not installed in ${root}\n  next: run \`npm ci\` there`);
  missing.name = "SourceError";
  throw missing;
}

/** Ends a launcher with one message. */
function endWith(thrown) {
  const isSource = thrown instanceof Error && thrown.name === "SourceError";
  process.stderr.write(`error: ${isSource ? thrown.message : (thrown?.stack ?? thrown)}\n`);
  process.exit(1);
}

module.exports = { SourceError, compile, compilerStamp, endWith };
