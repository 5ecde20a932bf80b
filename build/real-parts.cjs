// Installs the real programs that `make test-real` compares with: Debian's packages, pinned Go programs, Ansible, a Debian root.
// Idempotent; nothing is changed in the checkout. A part that cannot be had is named with the reason, and never an error by itself.
//   node build/real-parts.cjs install [NAME…] (or NAME,NAME)   node build/real-parts.cjs status
// HOMELAB_REAL_BUDGET=35 (minutes): what does not fit is skipped by name. HOMELAB_REAL_KEEP_CACHE=1 keeps Go's caches.
"use strict";
require("./node-version.cjs");
const { find, homeOf, howTo, otherVersions, parts, reason, versionOf } = require("./real-parts/cache.cjs");

/** All parts as plain data, for the tests and for `status`. `home` is its folder where it has one of its own. */
function inventory() {
  return parts.map((part) => {
    const file = find(part);
    return {
      name: part.name,
      version: versionOf(part),
      path: file,
      home: file === undefined || part.kind === "debian" ? undefined : homeOf(part),
      how: howTo(part),
      missing: file === undefined ? reason(part) : undefined,
    };
  });
}

function status() {
  for (const { name, version, path: file, missing, how } of inventory()) {
    console.log(file === undefined ? `missing  ${name} (${version}): ${missing}; ${how}` : `found    ${name} (${version}): ${file}`);
  }
  for (const part of parts) {
    for (const other of otherVersions(part)) console.log(`unused   ${part.name} (${other.version}): ${other.path} can be removed`);
  }
}

/** Stopped once, the running build ends and what is left is named; stopped twice, this process ends as any does. */
async function installUntilStopped(names) {
  const { install } = require("./real-parts/install.cjs");
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => stop.abort());
  await install(names, stop.signal);
  if (stop.signal.aborted) process.exitCode = 130;
}

module.exports = { inventory };

if (require.main === module) {
  const [command, ...names] = process.argv.slice(2);
  const list = names.flatMap((name) => name.split(",")).filter((name) => name !== "");
  if (command === "install") {
    installUntilStopped(list).catch((error) => {
      console.error(`error: ${error.message}`);
      process.exitCode = 1;
    });
  } else if (command === "status") status();
  else {
    console.error("usage: node build/real-parts.cjs install [NAME…] | status");
    process.exitCode = 2;
  }
}
