// Installs the real programs that `make test-real` compares with: Debian's packages, pinned Go programs, Ansible, a Debian root.
// Idempotent; nothing is changed in the checkout. A part that cannot be had is named with the reason, and never an error by itself.
//   node build/real-parts.cjs install [NAME…]   node build/real-parts.cjs status
"use strict";
const { spawnSync } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const builders = require("./real-part-builders.cjs");

const { parts } = JSON.parse(fs.readFileSync(path.join(__dirname, "real-parts.json"), "utf8"));
const cache = path.join(process.env.XDG_CACHE_HOME || path.join(os.homedir(), ".cache"), "homelab", "real-parts");
/** Programs of the administrator are not on everybody's search path. */
const SEARCH = `${process.env.PATH ?? ""}:/usr/sbin:/sbin`;

function onPath(name) {
  for (const folder of SEARCH.split(":")) {
    const file = path.join(folder, name);
    if (folder !== "" && fs.existsSync(file)) return file;
  }
  return undefined;
}

/** Folder of a part that is kept in the cache; a new version or another list of packages is another folder. */
const homeOf = (part) => path.join(cache, `${part.name}-${part.version ?? part.requirement?.split("==")[1] ?? `${part.suite}-${builders.digest(part)}`}`);

/** Where a part is, or undefined. */
function find(part) {
  if (part.kind === "debian") return onPath(part.executable);
  const inside = { go: part.name, python: path.join("bin", part.executable ?? ""), "debian-root": "root" }[part.kind];
  const file = path.join(homeOf(part), inside);
  // The stamp is written last: a build that was cut is not a part.
  return fs.existsSync(path.join(homeOf(part), ".complete")) && fs.existsSync(file) ? file : undefined;
}

/** How somebody gets a part by hand, in one line. */
function howTo(part) {
  if (part.kind === "debian") return `apt-get install ${part.package}`;
  const needs = { go: "needs Go", python: "needs Python 3.11 with venv", "debian-root": "needs root on Linux and debootstrap" }[part.kind];
  return `node build/real-parts.cjs install ${part.name} (${needs})`;
}

const versionOf = (part) => part.version ?? part.requirement ?? part.suite ?? part.package;
const reasonFile = (part) => path.join(cache, `${part.name}.missing`);

/** Why a part is not there. */
function reason(part) {
  if (fs.existsSync(reasonFile(part))) return fs.readFileSync(reasonFile(part), "utf8").trim();
  return "it is not installed";
}

/** All parts as plain data, for the tests and for `status`. */
function inventory() {
  return parts.map((part) => {
    const file = find(part);
    return { name: part.name, version: versionOf(part), path: file, how: howTo(part), missing: file === undefined ? reason(part) : undefined };
  });
}

function install(names) {
  const unknown = names.find((name) => !parts.some((part) => part.name === name));
  if (unknown !== undefined) throw new Error(`no part is named ${unknown}; there are ${parts.map((part) => part.name).join(", ")}`);
  fs.mkdirSync(cache, { recursive: true });
  const wanted = parts.filter((part) => (names.length === 0 || names.includes(part.name)) && find(part) === undefined);
  const run = (command, args, options = {}) => {
    const result = spawnSync(command, args, { stdio: ["ignore", "inherit", "inherit"], ...options });
    if (result.error) throw new Error(`${command}: ${result.error.code === "ETIMEDOUT" ? "took too long" : result.error.message}`);
    if (result.status !== 0) throw new Error(`${command} ${args[0] ?? ""} ended with ${result.signal ?? `exit code ${result.status}`}`);
  };
  const debian = wanted.filter((part) => part.kind === "debian");
  const jobs = [
    ...(debian.length === 0 ? [] : [{ parts: debian, build: () => builders.debianPackages(debian, { run, onPath }) }]),
    ...wanted
      .filter((part) => part.kind !== "debian")
      .map((part) => ({ parts: [part], build: () => builders[part.kind](part, { run, onPath, home: homeOf(part) }) })),
  ];
  for (const { parts: built, build } of jobs) {
    const title = built.map((part) => part.name).join(", ");
    const started = Date.now();
    try {
      build();
      for (const part of built) fs.rmSync(reasonFile(part), { force: true });
      console.log(`installed ${title} in ${Math.round((Date.now() - started) / 1000)} s`);
    } catch (error) {
      for (const part of built) fs.writeFileSync(reasonFile(part), `${error.message}\n`);
      console.log(`cannot install ${title}: ${error.message}`);
    }
  }
}

function status() {
  for (const { name, version, path: file, missing, how } of inventory()) {
    console.log(file === undefined ? `missing  ${name} (${version}): ${missing}; ${how}` : `found    ${name} (${version}): ${file}`);
  }
}

module.exports = { inventory };

if (require.main === module) {
  const [command, ...names] = process.argv.slice(2);
  if (command === "install") install(names);
  else if (command === "status") status();
  else {
    console.error("usage: node build/real-parts.cjs install [NAME…] | status");
    process.exitCode = 2;
  }
}
