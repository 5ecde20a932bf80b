// Which versions of Node this project is held against, and what an older one is told. The first line of every entry; an old Node must
// be able to read it, and the entry as far as this: so no syntax newer than Node 6 here, and none newer than Node 12 there.
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
