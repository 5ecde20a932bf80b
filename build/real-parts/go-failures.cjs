// Explains Go's error messages to a person who installs a part.
"use strict";

/** Tried in order: a full disk shows itself by many other failures. */
const MEANINGS = [
  [/no space left on device|disk quota exceeded/i, () => "the disk is full; make room in the cache's file system (see docs/real-parts.md for what parts need)"],
  [/checksum mismatch|SECURITY ERROR/, (part) => `a module that ${part.name} needs is refused: its checksum is not the published one`],
  [/requires go >= (\S+?)[\s;)]/, (part, [, version]) => `Go is too old: ${part.name} needs Go ${version} or newer`],
  [
    /(40[0-9]|410) (?:Not Found|Gone|Forbidden)|unknown revision|no matching versions/i,
    (part) => `the module proxy does not serve ${part.module}@${part.version} or what it needs`,
  ],
  [/no such host|connection refused|i\/o timeout|TLS handshake|network is unreachable|proxyconnect/i, () => "the module proxy cannot be reached"],
  [/signal: killed|cannot allocate memory|out of memory/i, () => "the compiler was killed, probably for want of memory; a build needs about 4 GB"],
];

/** An error that says what to do, with Go's own last line and the cause. */
function explain(error, part) {
  const text = `${error.output ?? ""}\n${error.message}`;
  if (error.code === "ENOSPC") return Object.assign(new Error(MEANINGS[0][1](part), { cause: error }), { stopped: error.stopped });
  if (error.stopped) return error;
  for (const [pattern, meaning] of MEANINGS) {
    const match = pattern.exec(text);
    if (match === null) continue;
    const line = text.split("\n").find((one) => pattern.test(one));
    return new Error(`${meaning(part, match)} (${(line ?? "").trim()})`, { cause: error });
  }
  return error;
}

module.exports = { explain };
