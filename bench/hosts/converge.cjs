// What the program does to converge or check hosts, as one process: node converge.cjs HOSTS.json run|check. Prints the sums.
"use strict";
const fs = require("node:fs");
const { compileRole, parseRoleReport } = require("../../bin/ansible-replacements/index.js");
const { runRemote } = require("../../bin/providers/command/ssh-run.js");
const { role } = require("./role.cjs");

async function main() {
  const [file, mode] = process.argv.slice(2);
  const hosts = JSON.parse(fs.readFileSync(file, "utf8"));
  const call = { signal: new AbortController().signal, log: () => undefined };
  const reports = await Promise.all(
    hosts.map(async ({ name, address, user, keyFile, hostKey }) => {
      const compiled = compileRole(role(name));
      const connection = { host: address, user, privateKey: fs.readFileSync(keyFile, "utf8"), hostKey };
      const command = mode === "check" ? compiled.checkCommand : compiled.command;
      const { stdout } = await runRemote({ connection, command, environment: {}, hopefulEnvironment: {} }, call);
      return parseRoleReport(stdout).summary;
    }),
  );
  console.log(JSON.stringify({ changed: reports.reduce((sum, r) => sum + r.changed, 0), unchanged: reports.reduce((sum, r) => sum + r.unchanged, 0) }));
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
