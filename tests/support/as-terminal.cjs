// Loaded into a command by NODE_OPTIONS. The command takes its pipes for a terminal, and so asks questions.
"use strict";
for (const stream of [process.stdin, process.stdout]) Object.defineProperty(stream, "isTTY", { value: true });
