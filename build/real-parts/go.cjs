// A Go program at one version, by a small module of our own that requires it. Files of theirs are changed where real-parts.json says so
// (`instead`), in a copy. The module's checksum is pinned there, its dependencies' by its own list and Go's checksum database.
"use strict";
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { cache } = require("./cache.cjs");
const { explain } = require("./go-failures.cjs");
const { run } = require("./run.cjs");

const MINUTE = 60_000;
/** The longest build takes about ten minutes on two cores that nothing else uses, and several times that beside much else. */
const LIMIT_MS = 60 * MINUTE;
/** Each of two compilers may take 3 GB then. */
const PLENTY_BYTES = 12e9;
const goCache = path.join(cache, "go");

/**
 * With enough memory, compilers collect no garbage below 3 GB: a fifth less processor time (net/http and its dependencies: 24.6 s
 * instead of 31.6 s).
 */
const sparing = () => (process.env.GOGC === undefined && os.totalmem() >= PLENTY_BYTES ? { GOGC: "off", GOMEMLIMIT: "3GiB" } : {});

/** Go's caches of our own, which are removed when the parts are there: all together they grow to 36 GB. */
const environment = () => ({
  ...process.env,
  CGO_ENABLED: "0",
  GOFLAGS: "-mod=mod -modcacherw",
  GOWORK: "off",
  ...sparing(),
  GOCACHE: path.join(goCache, "build"),
  GOMODCACHE: path.join(goCache, "mod"),
});

const numbers = (version) => version.split(".").map(Number);
function older(version, needed) {
  const [a, b] = [numbers(version), numbers(needed)];
  const at = [0, 1, 2].find((index) => (a[index] ?? 0) !== (b[index] ?? 0));
  return at !== undefined && (a[at] ?? 0) < (b[at] ?? 0);
}

/** Which Go is here. From 1.21 on Go fetches a newer one by itself, unless it was told not to. */
async function installedGo(options) {
  let text;
  try {
    text = await run("go", ["version"], options);
  } catch (error) {
    if (error.code === "ENOENT") throw new Error("Go is not installed; install Go 1.26 or newer");
    throw error;
  }
  const version = /\bgo(\d+\.\d+(?:\.\d+)?)/.exec(text)?.[1];
  if (version === undefined) throw new Error(`"go version" says ${JSON.stringify(text.trim())}, which names no version`);
  const fetchesOthers = !older(version, "1.21") && (await run("go", ["env", "GOTOOLCHAIN"], options)).trim() !== "local";
  return { version, fetchesOthers };
}

/** Lines of `replace` for our go.mod, from what real-parts.json says and what the module's own go.mod says. */
function replacements(part, goMod) {
  const { given = {}, ofModule = false, foldersAt } = part.replace ?? {};
  const own = [...goMod.matchAll(/^(?:replace|\t)\s*(\S+)(?: v\S+)? => (\S+)(?: (v\S+))?/gm)].map(([, from, to, version]) => ({ from, to, version }));
  const isFolder = ({ to }) => /^\.{1,2}\//.test(to);
  const folders = own.filter(isFolder);
  if (foldersAt !== undefined && folders.length === 0) throw new Error(`${part.module} replaces nothing by its own folders any more`);
  return [
    ...Object.entries(given).map(([from, to]) => `${from} => ${to}`),
    ...(ofModule ? own.filter((one) => !isFolder(one)).map(({ from, to, version }) => `${from} => ${to} ${version}`) : []),
    // A module does not contain the folders that its replacements point into; the same modules are published by version.
    ...(foldersAt === undefined ? [] : folders.map(({ from }) => `${from} => ${from} ${foldersAt}`)),
  ];
}

/** A copy of the module in which our files replace its own. A file that the module no longer has is an error. */
function copyWithOurs(part, module, copy) {
  fs.cpSync(module.Dir, copy, { recursive: true });
  for (const [file, ours] of Object.entries(part.instead)) {
    if (!fs.existsSync(path.join(copy, file))) throw new Error(`${part.module} has no ${file} any more, which ${ours} replaces`);
    fs.copyFileSync(path.join(__dirname, "instead", ours), path.join(copy, file));
  }
}

function writeSource(part, module, source) {
  const goMod = fs.readFileSync(module.GoMod, "utf8");
  const language = /^go .+$/m.exec(goMod)?.[0] ?? "go 1.24.0";
  const requires = Object.entries({ [part.module]: part.version, ...part.require }).map(([name, version]) => `require ${name} ${version}\n`);
  const copy = part.instead === undefined ? [] : [`${part.module} => ./module`];
  const replace = [...replacements(part, goMod), ...copy].map((line) => `replace ${line}\n`);
  fs.mkdirSync(source, { recursive: true });
  fs.writeFileSync(path.join(source, "go.mod"), `module homelab.invalid/real-part\n\n${language}\n\n${requires.join("")}\n${replace.join("")}`);
  fs.writeFileSync(path.join(source, "go.sum"), fs.readFileSync(path.join(module.Dir, "go.sum")));
  if (part.instead !== undefined) copyWithOurs(part, module, path.join(source, "module"));
  if (part.main === undefined) return;
  fs.writeFileSync(path.join(source, "main.go"), fs.readFileSync(path.join(__dirname, "mains", part.main.file)));
  for (const file of part.main.embed ?? []) fs.writeFileSync(path.join(source, path.basename(file)), fs.readFileSync(path.join(module.Dir, file)));
}

/** Files get no right to write; folders keep it, so that whoever owns the cache can remove them. */
function makeReadOnly(place) {
  if (!fs.statSync(place).isDirectory()) fs.chmodSync(place, 0o444);
  else for (const name of fs.readdirSync(place)) makeReadOnly(path.join(place, name));
}

/** Read-only files of the module that tests need beside the program: `files/<as in the module>`. */
function bringFiles(part, module, home) {
  for (const file of part.files ?? []) {
    const to = path.join(home, "files", file);
    fs.mkdirSync(path.dirname(to), { recursive: true });
    fs.cpSync(path.join(module.Dir, file), to, { recursive: true });
    makeReadOnly(to);
  }
}

async function download(part, options) {
  const at = `${part.module}@${part.version}`;
  const module = JSON.parse(await run("go", ["mod", "download", "-json", at], { ...options, timeoutMs: 10 * MINUTE, quiet: true }));
  if (module.Sum !== part.sum) throw new Error(`${at} is refused: its checksum is ${module.Sum}, and ${part.sum} is pinned in build/real-parts.json`);
  return module;
}

/**
 * Builds a part into its folder.
 * @param options.home an empty folder @param options.signal stops it @param options.timeoutMs what is left of the budget
 */
async function go(part, { home, signal, timeoutMs = LIMIT_MS }) {
  const source = path.join(home, "source");
  fs.mkdirSync(source, { recursive: true });
  const options = { cwd: source, env: environment(), signal, quiet: true };
  const installed = await installedGo(options);
  try {
    const module = await download(part, options);
    if (part.command === undefined && part.main === undefined) {
      // Only its files are wanted: there is no program.
      bringFiles(part, module, home);
      fs.rmSync(source, { recursive: true, force: true });
      return;
    }
    const needed = /^go (\S+)$/m.exec(fs.readFileSync(module.GoMod, "utf8"))?.[1] ?? "1.24";
    if (older(installed.version, needed) && !installed.fetchesOthers) {
      throw new Error(`Go ${installed.version} is too old: ${part.name} needs Go ${needed} or newer`);
    }
    writeSource(part, module, source);
    const target = part.main !== undefined ? "." : part.command === "." ? part.module : `${part.module}/${part.command}`;
    const program = path.join(home, part.executable ?? part.name);
    // Without debug information, which takes a tenth of the processor time.
    const flags = ["-trimpath", "-gcflags=all=-dwarf=false", `-ldflags=-s -w ${part.ldflags ?? ""}`, ...(part.tags === undefined ? [] : ["-tags", part.tags])];
    const args = ["build", ...flags, "-o", program, target];
    await run("go", args, { ...options, quiet: false, timeoutMs: Math.min(timeoutMs, LIMIT_MS) });
    bringFiles(part, module, home);
    for (const link of part.links ?? []) fs.symlinkSync(path.basename(program), path.join(home, link));
    fs.rmSync(source, { recursive: true, force: true });
  } catch (error) {
    throw explain(error, part);
  }
}

/** Go marks what it downloads as read-only unless told otherwise, as here: so the folder can be removed. */
function removeCaches() {
  fs.rmSync(goCache, { recursive: true, force: true });
}

module.exports = { go, removeCaches, goCache, older, replacements };
