import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import Module from "node:module";
import * as os from "node:os";
import * as path from "node:path";
import * as fc from "fast-check";
import { testWhere } from "../tests/support/skips";
import { decodeCache, encodeCache } from "./compile-cache";

const caches = fc.record({
  entries: fc
    .uniqueArray(fc.record({ file: fc.string(), stamp: fc.string(), code: fc.uint8Array({ maxLength: 50 }) }), { maxLength: 8, selector: ({ file }) => file })
    .map((all) => new Map(all.map(({ file, stamp, code }) => [file, { stamp, code: Buffer.from(code) }]))),
  installed: fc.string(),
  resolutions: fc.array(fc.tuple(fc.string(), fc.string()), { maxLength: 5 }).map((pairs) => new Map(pairs)),
});

test("what is written is read again, and what is cut short gives nothing that was not written", async () => {
  await fc.assert(
    fc.property(caches, fc.nat(), (written, cut) => {
      const bytes = encodeCache(written);
      expect(decodeCache(bytes)).toEqual(written);
      const { entries } = decodeCache(bytes.subarray(0, cut % (bytes.length + 1)));
      for (const [file, entry] of entries) expect(entry).toEqual(written.entries.get(file));
    }),
    { numRuns: 200 },
  );
});

test.each([
  "{}",
  '[{"file":1}]',
  "null",
  "[1]",
  '{"installed":"","index":[{"file":1}],"resolutions":[]}',
  '{"installed":"","index":[],"resolutions":[[1,2]]}',
  "not JSON",
])("an index that says %s is no cache", (text) => {
  const size = Buffer.alloc(4);
  size.writeUInt32LE(Buffer.byteLength(text));
  expect(decodeCache(Buffer.concat([size, Buffer.from(text)]))).toEqual({ entries: new Map(), installed: "", resolutions: new Map() });
});

describe("in a process", () => {
  let root: string;
  const run = (...flags: string[]): { stdout: string; stderr: string } => {
    const { stdout, stderr } = spawnSync(process.execPath, [...flags, path.join(root, "main.js")], { cwd: root, encoding: "utf8" });
    return { stdout, stderr };
  };
  const cacheFiles = (): string[] => {
    const dir = path.join(root, "node_modules", ".cache", "homelab", "compiled");
    return fs.existsSync(dir) ? fs.readdirSync(dir).map((name) => path.join(dir, name)) : [];
  };

  beforeEach(() => {
    root = fs.mkdtempSync(path.join(os.tmpdir(), "compile-cache-"));
    fs.writeFileSync(path.join(root, "Pulumi.yaml"), "name: x\n");
    fs.mkdirSync(path.join(root, "bin", "common"), { recursive: true });
    for (const file of ["compile-cache.js", "files.js", "paths.js"]) {
      fs.copyFileSync(path.join(__dirname, "..", "bin", "common", file), path.join(root, "bin", "common", file));
    }
    fs.mkdirSync(path.join(root, "node_modules", "thing"), { recursive: true });
    fs.writeFileSync(path.join(root, "node_modules", "thing", "other.mjs"), "export const three = 3;\n");
    fs.writeFileSync(path.join(root, "node_modules", "thing", "load.js"), 'module.exports = () => import("./other.mjs");\n');
    fs.writeFileSync(
      path.join(root, "node_modules", "thing", "index.js"),
      '#!/usr/bin/env node\nexports.where = [__filename, require("./index.js") === exports, require.resolve("./index.js")];\nexports.load = require("./load.js");\n',
    );
    fs.writeFileSync(
      path.join(root, "main.js"),
      'require("./bin/common/compile-cache.js").enableCompileCache("test"); const t = require("thing"); t.load().then((m) => console.log(JSON.stringify(t.where), m.three));\n',
    );
  });
  afterEach(() => fs.rmSync(root, { recursive: true, force: true }));

  const expected = () => {
    const file = path.join(fs.realpathSync(root), "node_modules", "thing", "index.js");
    return `${JSON.stringify([file, true, file])} 3\n`;
  };

  test("modules mean the same without, with and with a damaged cache", () => {
    expect(run()).toEqual({ stdout: expected(), stderr: "" });
    expect(run()).toEqual({ stdout: expected(), stderr: "" });
    expect(cacheFiles().length).toBeGreaterThan(0);
    for (const file of cacheFiles()) if (fs.statSync(file).isFile()) fs.truncateSync(file, Math.floor(fs.statSync(file).size / 2));
    expect(run()).toEqual({ stdout: expected(), stderr: "" });
  });

  test("an ES module that is required is loaded by Node, where this Node can, and by its other form where not", () => {
    const both = path.join(root, "node_modules", "both");
    fs.mkdirSync(both);
    fs.writeFileSync(path.join(both, "package.json"), '{"exports":{"module-sync":"./es.mjs","default":"./common.js"}}');
    fs.writeFileSync(path.join(both, "es.mjs"), 'import { value } from "./value.mjs";\nexport { value as "module.exports" };\nexport default value;\n');
    fs.writeFileSync(path.join(both, "value.mjs"), 'export const value = "both";\n');
    fs.writeFileSync(path.join(both, "common.js"), 'module.exports = "both";\n');
    fs.appendFileSync(path.join(root, "node_modules", "thing", "index.js"), 'exports.where.push([].concat(require("both").default ?? require("both"))[0]);\n');
    for (const { stdout, stderr } of [run(), run()]) expect([stdout.includes('"both"'), stderr]).toEqual([true, ""]);
  });

  test("a module that changed is compiled from its new text", () => {
    run();
    fs.appendFileSync(path.join(root, "node_modules", "thing", "index.js"), 'exports.where.push("new");\n');
    expect(run().stdout).toContain('"new"');
  });

  test("a name that leads elsewhere after an installation is looked up again", () => {
    run();
    fs.mkdirSync(path.join(root, "node_modules", "thing", "node_modules", "part"), { recursive: true });
    fs.appendFileSync(path.join(root, "node_modules", "thing", "index.js"), 'exports.where.push(require("part"));\n');
    fs.mkdirSync(path.join(root, "node_modules", "part"));
    fs.writeFileSync(path.join(root, "node_modules", "part", "index.js"), 'module.exports = "outer";\n');
    expect([run().stdout, run().stdout].every((text) => text.includes('"outer"'))).toBe(true);
    fs.writeFileSync(path.join(root, "node_modules", "thing", "node_modules", "part", "index.js"), 'module.exports = "inner";\n');
    fs.writeFileSync(path.join(root, "node_modules", ".package-lock.json"), "{}");
    expect(run().stdout).toContain('"inner"');
  });

  /** By file: changes with each time that it is written. */
  const written = (): [string, number][] => cacheFiles().map((file) => [path.basename(file), fs.statSync(file).ino]);

  test("processes with other flags of V8 do not use the same code, and do not write over each other's", () => {
    run();
    run("--no-opt");
    const both = written();
    for (const flags of [[], ["--no-opt"], []]) run(...flags);
    expect(written()).toEqual(both);
  });

  // A Node with a cache of its own has none of names.
  test("names are remembered again after a build, though nothing was compiled anew", () => {
    run();
    const built = path.join(root, "bin", ".built");
    fs.writeFileSync(built, "");
    const [file] = cacheFiles().filter((name) => path.basename(name).startsWith("test-v"));
    if (file === undefined) return;
    run();
    const stat = fs.statSync(built);
    expect(decodeCache(fs.readFileSync(file)).installed).toContain(`${stat.ctimeMs}:${stat.size}`);
  });

  test("a module that was removed is looked for where Node would", () => {
    fs.mkdirSync(path.join(root, "node_modules", "thing", "node_modules", "part"), { recursive: true });
    fs.writeFileSync(path.join(root, "node_modules", "thing", "node_modules", "part", "index.js"), 'module.exports = "inner";\n');
    fs.mkdirSync(path.join(root, "node_modules", "part"));
    fs.writeFileSync(path.join(root, "node_modules", "part", "index.js"), 'module.exports = "outer";\n');
    fs.appendFileSync(path.join(root, "node_modules", "thing", "index.js"), 'exports.where.push(require("part"));\n');
    expect([run().stdout, run().stdout].every((text) => text.includes('"inner"'))).toBe(true);
    fs.rmSync(path.join(root, "node_modules", "thing", "node_modules"), { recursive: true });
    expect(run().stdout).toContain('"outer"');
  });
});

const withOwnCache = testWhere(!("enableCompileCache" in Module), "Node 22.8 and newer keep compiled code themselves");

withOwnCache.each([
  ["engine/bin/pulumi", "version"],
  ["orchestrator/bin/homelab", "help"],
])("%s ends with the flags of V8 by which its code is kept: else V8 would refuse that code at each start", (entry, command) => {
  const checkout = path.join(__dirname, "..");
  const atEnd = 'process.on("exit", () => console.log(require("node:v8").cachedDataVersionTag().toString(16)))';
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "flags-"));
  try {
    fs.writeFileSync(path.join(folder, "at-end.cjs"), atEnd);
    const { stdout } = spawnSync(process.execPath, ["--require", path.join(folder, "at-end.cjs"), path.join(checkout, entry), command], { encoding: "utf8" });
    const tag = stdout.trim().split("\n").at(-1);
    const kind = entry.startsWith("engine") ? "engine" : "homelab";
    const kept = fs.readdirSync(path.join(checkout, "node_modules", ".cache", "homelab", "compiled"));
    expect(kept).toContain(`${kind}-${process.version}-${process.arch}-${tag}.bin`);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
});
