/**
 * Makes the start of our processes short. Keeps between runs, for installed packages and our own compiled files only, so that
 * anybody else's program is loaded by Node alone:
 * - V8's compiled code of CommonJS modules, functions that the run compiled lazily included: every stack operation starts six Node
 *   processes that load the same thousand files, and compiling them is a third of a start;
 * - where each `require` led, which Node finds out by looking into a dozen folders.
 * For Node 20. Node 22.8 has the first built in and is asked for it.
 */
import * as fs from "node:fs";
import Module from "node:module";
import * as path from "node:path";
import { cachedDataVersionTag } from "node:v8";
import * as vm from "node:vm";
import { writeFileAtomic } from "./files";
import { projectRoot } from "./paths";

/** In the checkout and not in a shared temporary folder: who can write it can run code as us. */
const cacheDir = (): string => path.join(projectRoot(), "node_modules", ".cache", "homelab", "compiled");

/** A run that compiled more than this share of its modules anew writes the cache again. */
const REWRITE_SHARE = 0.05;

interface Entry {
  /** {@link stampOf} of the file that was compiled. */
  stamp: string;
  code: Buffer;
}

export interface Cache {
  /** Compiled code by file. */
  entries: Map<string, Entry>;
  /** What was installed when the resolutions were learned. */
  installed: string;
  /** The file that each `require` led to. Key: folder of the requiring module, NUL, required name. */
  resolutions: Map<string, string>;
}

const EMPTY = (): Cache => ({ entries: new Map(), installed: "", resolutions: new Map() });

interface Head {
  index: { file: string; stamp: string; start: number; length: number }[];
  installed: string;
  resolutions: [string, string][];
}

/** Parsed by hand, since this runs before anything else is loaded. A cache that an older version of this file wrote is not used. */
function isHead(value: unknown): value is Head {
  const has = (part: unknown, key: string, type: string): boolean => typeof part === "object" && part !== null && typeof Reflect.get(part, key) === type;
  const isPart = (part: unknown): boolean =>
    ["file", "stamp"].every((key) => has(part, key, "string")) && ["start", "length"].every((key) => Number.isSafeInteger(Reflect.get(part as object, key)));
  const isPair = (pair: unknown): boolean => Array.isArray(pair) && pair.length === 2 && pair.every((text) => typeof text === "string");
  if (!has(value, "installed", "string")) return false;
  const { index, resolutions } = value as { index: unknown; resolutions: unknown };
  return Array.isArray(index) && index.every(isPart) && Array.isArray(resolutions) && resolutions.every(isPair);
}

/** One file: the length of the head (4 bytes), the head as JSON, the pieces of code one after another. */
export function encodeCache({ entries, installed, resolutions }: Cache): Buffer {
  const head: Head = { index: [], installed, resolutions: [...resolutions] };
  let start = 0;
  for (const [file, { stamp, code }] of entries) {
    head.index.push({ file, stamp, start, length: code.length });
    start += code.length;
  }
  const text = Buffer.from(JSON.stringify(head));
  const size = Buffer.alloc(4);
  size.writeUInt32LE(text.length);
  return Buffer.concat([size, text, ...[...entries.values()].map(({ code }) => code)]);
}

/** @returns an empty one where the text is not one that {@link encodeCache} wrote, such as one cut short */
export function decodeCache(bytes: Buffer): Cache {
  if (bytes.length < 4) return EMPTY();
  const codeStart = 4 + bytes.readUInt32LE(0);
  if (codeStart > bytes.length) return EMPTY();
  let head: unknown;
  try {
    head = JSON.parse(bytes.toString("utf8", 4, codeStart));
  } catch {
    // A damaged cache costs a compilation and nothing else.
    return EMPTY();
  }
  if (!isHead(head)) return EMPTY();
  const cache: Cache = { entries: new Map(), installed: head.installed, resolutions: new Map(head.resolutions) };
  for (const { file, stamp, start, length } of head.index) {
    if (codeStart + start + length > bytes.length) continue;
    cache.entries.set(file, { stamp, code: bytes.subarray(codeStart + start, codeStart + start + length) });
  }
  return cache;
}

/** Identifies a version of a file by its change time and size. Undefined if there is no such file. */
function stampOf(file: string): string | undefined {
  const stat = fs.statSync(file, { throwIfNoEntry: false });
  return stat?.isFile() ? `${stat.ctimeMs}:${stat.size}` : undefined;
}

/** Changes with every installation and every build: a name may lead elsewhere then. */
const installedNow = (): string =>
  [path.join("node_modules", ".package-lock.json"), path.join("bin", ".built")].map((file) => stampOf(path.join(projectRoot(), file)) ?? "").join(" ");

interface Compiled {
  stamp: string;
  script: vm.Script;
}

/** `require` as a module sees it; Node's own maker of it is not public. */
function requireOf(module: NodeJS.Module): NodeJS.Require {
  const load = (id: string): unknown => module.require(id);
  const resolve = Object.assign((id: string, options?: { paths?: string[] | undefined }) => resolveFilename(id, module, options), {
    paths: (id: string) => Module.createRequire(module.filename).resolve.paths(id),
  });
  return Object.assign(load, { resolve, main: process.mainModule, extensions: require.extensions, cache: require.cache });
}

/** Parts of Node's module loader that its types leave out; they have not changed since Node 12. */
interface Loader {
  /** `format`: `module` for what Node takes for an ES module (20.19 and later; undefined where the package does not say). */
  prototype: { _compile(this: NodeJS.Module, content: string, filename: string, format?: string): unknown };
  _extensions: { ".js"(module: NodeJS.Module, filename: string): void };
  _resolveFilename(id: string, parent: NodeJS.Module | null | undefined, isMain: boolean, options?: { paths?: string[] | undefined }): string;
  enableCompileCache?(dir: string): unknown;
}
const loader = Module as unknown as Loader;
const resolveFilename = (id: string, parent: NodeJS.Module, options?: { paths?: string[] | undefined }): string =>
  loader._resolveFilename(id, parent, false, options);

function run(module: NodeJS.Module, script: vm.Script): unknown {
  const body = script.runInThisContext() as (...args: unknown[]) => unknown;
  return body.call(module.exports, module.exports, requireOf(module), module, module.filename, path.dirname(module.filename));
}

const wrapped = (content: string): string => Module.wrap(content.startsWith("#!") ? `//${content}` : content);

/** Whether a file is one that the cache covers: a package's, or one that was compiled from this checkout. */
function coverage(): (filename: string) => boolean {
  const own = path.join(projectRoot(), "bin") + path.sep;
  return (filename) => filename.includes(`${path.sep}node_modules${path.sep}`) || filename.startsWith(own);
}

/** V8 takes no code that was compiled under other flags: who sets some does so before this, and has a file of its own. */
const cacheFile = (name: string): string => path.join(cacheDir(), `${name}-${process.version}-${process.arch}-${cachedDataVersionTag().toString(16)}.bin`);

/** What is known of a version of a file; a file that is loaded again, since a process forgot it, is not compiled again. */
const sameStamp = <T extends { stamp: string }>(known: T | undefined, stamp: string | undefined): T | undefined => (known?.stamp === stamp ? known : undefined);

let enabled = false;

/**
 * From now on modules are found and compiled by the cache, and what was not in it is added when the process ends. Call it before
 * anything else is loaded. A second call does nothing.
 * @param name of the kind of process: each kind has a cache file of its own
 */
export function enableCompileCache(name: string): void {
  if (enabled) return;
  enabled = true;
  if (loader.enableCompileCache !== undefined) return void loader.enableCompileCache(cacheDir());
  const file = cacheFile(name);
  const { entries: known, ...learned } = fs.existsSync(file) ? decodeCache(fs.readFileSync(file)) : EMPTY();
  const installed = installedNow();
  const resolutions = learned.installed === installed ? learned.resolutions : new Map<string, string>();
  const covers = coverage();
  const compiled = new Map<string, Compiled>();
  /** Stamps of files that were just looked at. */
  const stamps = new Map<string, string>();
  // After a build the names have to be remembered anew, however few files it compiled.
  let fresh = learned.installed === installed ? 0 : Number.POSITIVE_INFINITY;

  const { _resolveFilename: resolveByNode } = loader;
  loader._resolveFilename = function (id, parent, isMain, options) {
    const from = parent?.filename;
    if (isMain || options !== undefined || typeof from !== "string" || !covers(from)) return resolveByNode.call(this, id, parent, isMain, options);
    const key = `${path.dirname(from)}\0${id}`;
    const remembered = resolutions.get(key);
    const stamp = remembered === undefined ? undefined : stampOf(remembered);
    if (remembered !== undefined && stamp !== undefined) {
      stamps.set(remembered, stamp);
      return remembered;
    }
    const found = resolveByNode.call(this, id, parent, isMain, options);
    if (covers(found)) resolutions.set(key, found);
    return found;
  };

  const { _compile: compileByNode } = loader.prototype;
  loader.prototype._compile = function (content, filename, format) {
    const stamp = covers(filename) ? stampOf(filename) : undefined;
    const byNode = (): unknown => compileByNode.call(this, content, filename, format);
    // Only Node itself can give a module an `import()`, or load an ES module.
    if (stamp === undefined || format === "module" || /\bimport\s*\(/.test(content)) return byNode();
    let script: vm.Script;
    try {
      script = new vm.Script(wrapped(content), { filename });
    } catch {
      // An ES module whose package does not declare it, or a syntax error: Node handles both.
      return byNode();
    }
    fresh++;
    compiled.set(filename, { stamp, script });
    return run(this, script);
  };

  const { ".js": loadByNode } = loader._extensions;
  loader._extensions[".js"] = (module, filename) => {
    const stamp = stamps.get(filename) ?? stampOf(filename);
    let script = sameStamp(compiled.get(filename), stamp)?.script;
    const entry = sameStamp(known.get(filename), stamp);
    if (script === undefined && entry !== undefined) {
      script = new vm.Script(wrapped(fs.readFileSync(filename, "utf8")), { filename, cachedData: entry.code });
      if (script.cachedDataRejected === true) fresh++;
      compiled.set(filename, { stamp: entry.stamp, script });
    }
    if (script === undefined) loadByNode(module, filename);
    else run(module, script);
  };

  process.on("exit", () => {
    if (fresh > compiled.size * REWRITE_SHARE) save(file, () => ({ entries: entriesOf(known, compiled), installed, resolutions }));
  });
}

/** What this process compiled, and the known entries of other modules whose files have not changed: another command may load them. */
function entriesOf(known: Cache["entries"], compiled: ReadonlyMap<string, Compiled>): Cache["entries"] {
  const kept = [...known].filter(([name, { stamp }]) => !compiled.has(name) && stampOf(name) === stamp);
  const added = [...compiled].map(([name, { stamp, script }]) => [name, { stamp, code: script.createCachedData() }] as const);
  return new Map([...kept, ...added]);
}

function save(file: string, cache: () => Cache): void {
  try {
    fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    writeFileAtomic(file, encodeCache(cache()));
  } catch {
    // A checkout that cannot be written, or a full disk: the next start is as slow as this one, and nothing is lost.
  }
}
