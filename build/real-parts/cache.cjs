// Where real parts are: one folder a part and version below ~/.cache/homelab/real-parts (XDG_CACHE_HOME is honoured).
//   <part>-<version>/<program>   <part>-<version>/files/…   <part>-<version>/.complete (the recipe's digest; written last)
//   <part>.missing (why it is not there)   go/build, go/mod (Go's caches while parts are built)   .lock (process id of a run)
"use strict";
const { createHash } = require("node:crypto");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { holder } = require("./lock.cjs");

const { parts } = JSON.parse(fs.readFileSync(path.join(__dirname, "..", "real-parts.json"), "utf8"));
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

/** A digest of what a part is made of: its entry without the estimated minutes, our main file, and our files that replace its own. */
function recipe(part) {
  const { minutes: _, ...rest } = part;
  const main = part.main === undefined ? [] : [path.join("mains", part.main.file)];
  const ours = [...main, ...Object.values(part.instead ?? {}).map((file) => path.join("instead", file))];
  return createHash("sha256")
    .update([JSON.stringify(rest), ...ours.map((file) => fs.readFileSync(path.join(__dirname, file), "utf8"))].join(""))
    .digest("hex")
    .slice(0, 12);
}

const versionOf = (part) => part.version ?? part.requirement ?? part.suite ?? part.package;
/** The version as it stands in a folder's name. A Debian root has none of its own: its list of packages stands for it. */
const folderVersion = (part) => part.version ?? part.requirement?.split("==")[1] ?? `${part.suite}-${rootDigest(part)}`;
const rootDigest = ({ minutes: _, ...part }) => createHash("sha256").update(JSON.stringify(part)).digest("hex").slice(0, 12);
const homeOf = (part) => path.join(cache, `${part.name}-${folderVersion(part)}`);
const stampOf = (part) => path.join(homeOf(part), ".complete");
const programOf = (part) =>
  path.join(
    homeOf(part),
    { go: part.executable ?? part.name, python: path.join("bin", part.executable ?? ""), npm: "node_modules", "debian-root": "root" }[part.kind],
  );
const reasonFile = (part) => path.join(cache, `${part.name}.missing`);

const stamp = (part) => (fs.existsSync(stampOf(part)) ? fs.readFileSync(stampOf(part), "utf8").trim() : undefined);

/** Where a part is, or undefined. An interrupted build has no stamp, and a build of another recipe has another stamp. */
function find(part) {
  if (part.kind === "debian") return onPath(part.executable);
  return stamp(part) === recipe(part) && fs.existsSync(programOf(part)) ? programOf(part) : undefined;
}

/** Folders in the cache that belong to a part of this name and are not the pinned one. */
function otherVersions(part) {
  if (!fs.existsSync(cache)) return [];
  const names = parts.map((one) => one.name).sort((a, b) => b.length - a.length);
  return fs
    .readdirSync(cache)
    .filter(
      (folder) =>
        !folder.endsWith(".missing") && names.find((name) => folder.startsWith(`${name}-`)) === part.name && path.join(cache, folder) !== homeOf(part),
    )
    .map((folder) => ({ version: folder.slice(part.name.length + 1), path: path.join(cache, folder) }));
}

/** Why a part is not there, in one line. */
function reason(part) {
  if (fs.existsSync(reasonFile(part))) return fs.readFileSync(reasonFile(part), "utf8").trim();
  if (part.kind !== "debian" && stamp(part) !== undefined) return "the one in the cache was made by another recipe";
  if (part.kind !== "debian" && fs.existsSync(homeOf(part))) {
    const builder = holder(cache);
    return builder === undefined ? "its build was cut" : `it is not built yet; process ${builder} is at work`;
  }
  const others = otherVersions(part).map((one) => one.version);
  return others.length === 0 ? "it is not installed" : `it is not installed; the cache has another version (${others.join(", ")})`;
}

/** How somebody gets a part by hand, in one line. */
function howTo(part) {
  if (part.kind === "debian") return `apt-get install ${part.package}`;
  const needs = { go: "needs Go", python: "needs Python 3.11 with venv", npm: "needs npm", "debian-root": "needs root on Linux and debootstrap" }[part.kind];
  return `make real-parts PARTS=${part.name} (${needs})`;
}

module.exports = { parts, cache, onPath, recipe, versionOf, homeOf, stampOf, reasonFile, find, otherVersions, reason, howTo };
