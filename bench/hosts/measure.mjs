// No-op convergence and check of seven real hosts: ours, Ansible at its best settings, and the limit (one OpenSSH session a host that
// runs the same script), in one run. Needs root on Linux and the real parts: node build/real-parts.cjs install. Usage: node bench/hosts/measure.mjs
import { spawn } from "node:child_process";
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const require = createRequire(import.meta.url);
require("../../build/build.cjs").build();
require("./typescript.cjs");
process.env.HOMELAB_TEST_REAL = "1";
const { realPart, missingParts } = require("../../tests/support/real-parts.ts");
const { startRealHosts } = require("../../tests/support/real-hosts.ts");
const { runAnsible } = require("../../tests/support/real-ansible.ts");
const { compileRole } = require("../../bin/ansible-replacements/index.js");
const { role } = require("./role.cjs");

const here = import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname);
const NAMES = ["host01", "host02", "host03", "host04", "host05", "host06", "host07"];
const ROUNDS = { ours: 7, limit: 7, ansible: 3 };
const OPERATIONS = role("x").operations.length;

/** A program's exit code must be 0. @returns its output */
function run(command, args, stdin = "") {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"] });
    let out = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (out += chunk));
    child.on("error", reject);
    child.on("close", (code) => (code === 0 ? resolve(out) : reject(new Error(`${command} ended with ${code}: ${out}`))));
    child.stdin.end(stdin);
  });
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

/** Seconds of each round. */
async function measure(rounds, work) {
  const seconds = [];
  for (let round = 0; round < rounds; round++) {
    const started = process.hrtime.bigint();
    await work();
    seconds.push(Number(process.hrtime.bigint() - started) / 1e9);
  }
  return seconds;
}

const show = (name, seconds) =>
  console.log(`${name.padEnd(46)} ${median(seconds).toFixed(2).padStart(6)} s   (${seconds.map((s) => s.toFixed(2)).join(", ")})`);

function expectUnchanged(output) {
  const sums = JSON.parse(output);
  if (sums.changed !== 0 || sums.unchanged !== OPERATIONS * NAMES.length) throw new Error(`not a run without change: ${output}`);
}

async function main() {
  const parts = ["ip", "ssh", "debian-root", "ansible"].map(realPart);
  const missing = missingParts(parts);
  if (missing !== undefined) {
    console.log(`skipped: ${missing}`);
    return;
  }
  const [, , debianRoot, ansible] = parts.map((part) => part.path);
  const real = await startRealHosts(debianRoot, NAMES);
  try {
    const list = path.join(real.folder, "hosts.json");
    const entries = real.hosts.map(({ name, address, user, keyFile, knownHost }) => ({
      name,
      address,
      user,
      keyFile,
      hostKey: knownHost.split(" ").slice(1).join(" "),
    }));
    fs.writeFileSync(list, JSON.stringify(entries));
    const converge = (mode) => run(process.execPath, [path.join(here, "converge.cjs"), list, mode]);
    await converge("run");

    const options = (host) => ["-F", "none", "-i", host.keyFile, "-o", `UserKnownHostsFile=${path.join(real.folder, "known_hosts")}`, "-o", "BatchMode=yes"];
    const limit = () =>
      Promise.all(
        real.hosts.map((host) =>
          run("ssh", [...options(host), `${host.user}@${host.address}`, "sudo -n env HOMELAB_CHECK=1 sh -s"], compileRole(role(host.name)).script),
        ),
      );
    const playbook = () => runAnsible(ansible, real, real.hosts, path.join(here, "playbook.yml"));
    const warm = await playbook();
    if (warm.exitCode !== 0) throw new Error(warm.output);

    const before = await connections(real.hosts);
    const runs = await measure(ROUNDS.ours, async () => expectUnchanged(await converge("run")));
    const opened = (await connections(real.hosts)) - before - NAMES.length;
    const checks = await measure(ROUNDS.ours, async () => expectUnchanged(await converge("check")));
    const limits = await measure(ROUNDS.limit, limit);
    const ansibles = await measure(ROUNDS.ansible, async () => {
      const { exitCode, recap, output } = await playbook();
      if (exitCode !== 0 || NAMES.some((name) => recap[name]?.changed !== 0)) throw new Error(`not a run without change: ${output}`);
    });

    console.log(`${NAMES.length} Debian hosts, ${OPERATIONS} operations that find nothing to do; median (all rounds)`);
    show("ours, run", runs);
    show("ours, check", checks);
    show("limit: one OpenSSH session a host, same script", limits);
    show("ansible-playbook", ansibles);
    console.log(`Ansible takes ${(median(ansibles) / median(runs)).toFixed(1)} times as long as our run (goal: at least 15)`);
    console.log(
      `our run takes ${(median(runs) / median(limits)).toFixed(2)} times the limit, our check ${(median(checks) / median(limits)).toFixed(2)} (goal: at most 2.5)`,
    );
    console.log(`SSH connections of our run: ${opened / ROUNDS.ours / NAMES.length} a host`);
  } finally {
    await real.stop();
  }
}

/**
 * How many logins the hosts have seen, without the one of this question, which may not be in the journal yet. Only sshd's lines count:
 * sudo writes its own command line, with this pattern, into the journal.
 */
async function connections(hosts) {
  const count = `port=$(echo "$SSH_CONNECTION" | cut -d " " -f 2); sudo -n sh -c "journalctl --sync; journalctl -q -t sshd -g '^Accepted publickey' --no-pager" | grep -cv " port $port "`;
  const counts = await Promise.all(hosts.map((host) => host.run(count)));
  return counts.reduce((sum, { stdout }) => sum + Number(stdout), 0);
}

await main();
