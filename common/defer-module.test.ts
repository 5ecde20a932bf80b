import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import type { Deferral } from "./defer-module";

const DEFER = path.join(__dirname, "../bin/common/defer-module.js");

/** Runs a script beside a package `heavy`, which says when it is loaded, in a process whose `require` defers it. */
function run(heavy: string, deferral: Deferral, script: string): { stdout: string; stderr: string } {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "defer-"));
  try {
    fs.mkdirSync(path.join(dir, "node_modules", "heavy"), { recursive: true });
    fs.writeFileSync(path.join(dir, "node_modules", "heavy", "index.js"), `console.log("loaded");\n${heavy}`);
    const file = path.join(dir, "main.js");
    fs.writeFileSync(
      file,
      `require(${JSON.stringify(DEFER)}).deferModules({ heavy: ${JSON.stringify(deferral)}, "./heavy": { from: "/main.js" }, absent: {} });\n${script}`,
    );
    const { stdout, stderr } = spawnSync(process.execPath, [file], { encoding: "utf8" });
    return { stdout, stderr };
  } finally {
    fs.rmSync(dir, { recursive: true, force: true });
  }
}

test("a deferred module is loaded once, when a property of it is first read", () => {
  const { stdout, stderr } = run("exports.a = 1; exports.b = 2;", {}, 'const h = require("heavy"); console.log("before"); console.log(h.a, h.b, "a" in h);');
  expect([stdout, stderr]).toEqual(["before\nloaded\n1 2 true\n", ""]);
});

test("what nobody uses is never loaded", () => {
  expect(run("exports.a = 1;", {}, 'const h = require("heavy"); console.log(typeof h.__esModule);').stdout).toBe("undefined\n");
});

test("a copy of the named exports does not load it, and each copy is the real thing when it is used", () => {
  const copy = `const mod = require("heavy"); const star = {};
    for (const k in mod) if (Object.prototype.hasOwnProperty.call(mod, k)) star[k] = mod[k];
    console.log(Object.keys(star).join()); const it = new star.Thing(7); console.log(it.n, star.twice(4), it instanceof mod.Thing);`;
  const { stdout, stderr } = run(
    "exports.Thing = class { constructor(n) { this.n = n; } }; exports.twice = (n) => 2 * n;",
    { copied: ["Thing", "twice"] },
    copy,
  );
  expect([stdout, stderr]).toEqual(["Thing,twice\nloaded\n7 8 true\n", ""]);
});

test("a module that is itself a function can be called", () => {
  expect(run("module.exports = (n) => n + 1;", {}, 'console.log(require("heavy")(1));').stdout).toBe("loaded\n2\n");
});

test("a module that is missing is missing at once, so that fallbacks work", () => {
  const { stdout } = run("", {}, 'try { require("absent"); } catch (error) { console.log(error.code); }');
  expect(stdout).toBe("MODULE_NOT_FOUND\n");
});

test("a compiled ES module is told by its mark, without loading it", () => {
  const { stdout } = run(
    "exports.__esModule = true; exports.a = 1;",
    { esModule: true },
    'const h = require("heavy"); console.log(h.__esModule); console.log(h.a);',
  );
  expect(stdout).toBe("true\nloaded\n1\n");
});

test("what stands instead of an export does not load the module, another export does", () => {
  const script = 'const h = require("heavy"); console.log(h.ready); console.log(h.a, h.ready);';
  expect(run("exports.ready = 1; exports.a = 2;", { instead: { ready: "at once" } }, script).stdout).toBe("at once\nloaded\n2 1\n");
});

test("a relative name is deferred for the named file alone", () => {
  const script = `const fs = require("fs"); fs.writeFileSync(__dirname + "/heavy.js", "console.log('beside')");
    fs.writeFileSync(__dirname + "/other.js", "require('./heavy')");
    require("./heavy"); console.log("deferred"); require("./other");`;
  expect(run("", {}, script).stdout).toBe("deferred\nbeside\n");
});
