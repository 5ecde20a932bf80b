/**
 * Keeps V8's compiled code of CommonJS modules between runs, functions that the run compiled lazily included. Every stack
 * operation starts four Node processes that load the same thousand files; compiling them is a third of a start.
 * Node 22.8 has this built in and is asked for it; for Node 20 it is done here, for installed packages and our own compiled files
 * only, so that anybody else's program is compiled by Node alone.
 */
import * as crypto from "node:crypto";
import * as fs from "node:fs";
import Module from "node:module";
import * as path from "node:path";
import * as vm from "node:vm";
import { writeFileAtomic } from "./files";
import { projectRoot } from "./paths";

/** In the checkout and not in a shared temporary folder: who can write it can run code as us. */
const cacheDir = (): string => path.join(projectRoot(), "node_modules", ".cache", "homelab", "compiled");

/** A run that compiled more than this share of its modules anew writes the cache again. */
const REWRITE_SHARE = 0.05;

interface Entry {
  /** Digest of the source: compiled code belongs to one text, whatever its file's times say. */
  digest: string;
  code: Buffer;
}

type Index = { file: string; digest: string; start: number; length: number }[];

/** By hand, since this runs before anything else is loaded; a cache that an older version of this file wrote is none. */
function isIndex(value: unknown): value is Index {
  const isPart = (part: unknown): boolean =>
    typeof part === "object" &&
    part !== null &&
    ["file", "digest"].every((key) => typeof Reflect.get(part, key) === "string") &&
    ["start", "length"].every((key) => Number.isSafeInteger(Reflect.get(part, key)));
  return Array.isArray(value) && value.every(isPart);
}

/** One file: the length of the index (4 bytes), the index as JSON, the pieces of code one after another. */
export function encodeCache(entries: ReadonlyMap<string, Entry>): Buffer {
  const index: Index = [];
  let start = 0;
  for (const [file, { digest, code }] of entries) {
    index.push({ file, digest, start, length: code.length });
    start += code.length;
  }
  const head = Buffer.from(JSON.stringify(index));
  const size = Buffer.alloc(4);
  size.writeUInt32LE(head.length);
  return Buffer.concat([size, head, ...[...entries.values()].map(({ code }) => code)]);
}

/** @returns no entries where the text is not one that {@link encodeCache} wrote, such as one cut short */
export function decodeCache(bytes: Buffer): Map<string, Entry> {
  const entries = new Map<string, Entry>();
  if (bytes.length < 4) return entries;
  const codeStart = 4 + bytes.readUInt32LE(0);
  if (codeStart > bytes.length) return entries;
  let index: unknown;
  try {
    index = JSON.parse(bytes.toString("utf8", 4, codeStart));
  } catch {
    // A damaged cache costs a compilation and nothing else.
    return entries;
  }
  if (!isIndex(index)) return entries;
  for (const { file, digest, start, length } of index) {
    if (codeStart + start + length <= bytes.length) entries.set(file, { digest, code: bytes.subarray(codeStart + start, codeStart + start + length) });
  }
  return entries;
}

interface Compiled {
  digest: string;
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
  prototype: { _compile(this: NodeJS.Module, content: string, filename: string): unknown };
  _resolveFilename(id: string, parent: NodeJS.Module, isMain: boolean, options?: { paths?: string[] | undefined }): string;
  enableCompileCache?(dir: string): unknown;
}
const loader = Module as unknown as Loader;
const resolveFilename = (id: string, parent: NodeJS.Module, options?: { paths?: string[] | undefined }): string =>
  loader._resolveFilename(id, parent, false, options);

let enabled = false;

/**
 * From now on modules are compiled from the cache, and what was not in it is added when the process ends. Best called first; in a
 * process that has one already this does nothing.
 * @param name of the kind of process: each has a file of its own, with what it loads
 */
export function enableCompileCache(name: string): void {
  if (enabled) return;
  enabled = true;
  if (loader.enableCompileCache !== undefined) {
    loader.enableCompileCache(cacheDir());
    return;
  }
  const file = path.join(cacheDir(), `${name}-${process.version}-${process.arch}.bin`);
  const known = fs.existsSync(file) ? decodeCache(fs.readFileSync(file)) : new Map<string, Entry>();
  const compiled = new Map<string, Compiled>();
  let fresh = 0;
  const own = path.join(projectRoot(), "bin") + path.sep;
  const { _compile: compileByNode } = loader.prototype;
  loader.prototype._compile = function (content, filename) {
    if (!filename.includes(`${path.sep}node_modules${path.sep}`) && !filename.startsWith(own)) return compileByNode.call(this, content, filename);
    // Only Node itself can give a module an `import()`.
    if (/\bimport\s*\(/.test(content)) return compileByNode.call(this, content, filename);
    const source = content.startsWith("#!") ? `//${content}` : content;
    const digest = crypto.createHash("sha1").update(source).digest("base64");
    const entry = known.get(filename);
    const cachedData = entry?.digest === digest ? entry.code : undefined;
    const script = new vm.Script(Module.wrap(source), { filename, cachedData });
    if (cachedData === undefined || script.cachedDataRejected === true) fresh++;
    compiled.set(filename, { digest, script });
    const run = script.runInThisContext() as (...args: unknown[]) => unknown;
    return run.call(this.exports, this.exports, requireOf(this), this, filename, path.dirname(filename));
  };
  process.on("exit", () => {
    if (fresh > compiled.size * REWRITE_SHARE) save(file, compiled);
  });
}

function save(file: string, compiled: ReadonlyMap<string, Compiled>): void {
  try {
    fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    writeFileAtomic(file, encodeCache(new Map([...compiled].map(([name, { digest, script }]) => [name, { digest, code: script.createCachedData() }]))));
  } catch {
    // A checkout that cannot be written, or a full disk: the next start is as slow as this one, and nothing is lost.
  }
}
