// Loaded into a command (NODE_OPTIONS): it takes its pipes for a terminal, and so it asks.
"use strict";
for (const stream of [process.stdin, process.stdout]) Object.defineProperty(stream, "isTTY", { value: true });
