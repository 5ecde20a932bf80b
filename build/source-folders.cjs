"use strict";
/** Top folders whose TypeScript is compiled to bin/ and tested where it stands. */
exports.SOURCE_FOLDERS = [
  "common",
  "engine",
  "providers",
  "lab",
  "scaffold",
  "orchestrator",
  "components",
  "site",
  "stacks",
  "policy",
  "secrets",
  "ansible-replacements",
  "pipelines",
];
