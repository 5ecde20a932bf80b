// The versions of Node that this project is tested with, and the message for an older one. Every entry loads this first. An old Node must
// be able to parse this file and the entry: so this file has no syntax newer than Node 6, and the entries none newer than Node 12.
"use strict";

/** Each of them runs the rehearsal and all tests: `make test-node`. */
const HELD = [20, 22, 24, 26];

/** What is wrong with a version (`v18.20.8`), or undefined. */
function complaint(version, file) {
  if (Number(version.slice(1).split(".")[0]) >= HELD[0]) return undefined;
  return `homelab needs Node ${HELD[0]} or newer; this is Node ${version} (${file}).
Install Node ${HELD[HELD.length - 1]} (https://nodejs.org, or a version manager), put it first on PATH, and run the command again.
`;
}

const found = complaint(process.version, process.execPath);
if (found !== undefined) {
  process.stderr.write(found);
  process.exit(1);
}

module.exports = { HELD, complaint };
