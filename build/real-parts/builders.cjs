// How each kind of real part but Go's is made. Each function throws with the reason where it cannot be.
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const { onPath } = require("./cache.cjs");
const { run } = require("./run.cjs");

const MINUTE = 60_000;

function needRoot() {
  if (process.platform !== "linux" || process.getuid?.() !== 0) throw new Error("needs root on Linux");
}

/** A package may change how this machine boots. The file that prevents this is created before the package is installed. */
function keepOff(parts) {
  for (const { keptOffBy } of parts) {
    if (keptOffBy === undefined || fs.existsSync(keptOffBy)) continue;
    fs.mkdirSync(path.dirname(keptOffBy), { recursive: true });
    fs.writeFileSync(keptOffBy, "");
  }
}

/** Packages of this machine's own distribution, from its own sources. Daemons that they bring are not started. */
async function debianPackages(parts, { signal }) {
  needRoot();
  if (onPath("apt-get") === undefined) throw new Error("needs a Debian system");
  const policy = "/usr/sbin/policy-rc.d";
  const ours = !fs.existsSync(policy);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const lock = ["-o", "DPkg::Lock::Timeout=300"];
  if (ours) fs.writeFileSync(policy, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  try {
    await run("apt-get", ["update", "-qq"], { env, signal, timeoutMs: 5 * MINUTE });
    const names = parts.map((part) => part.package);
    keepOff(parts);
    await run("apt-get", ["install", "-qq", "-y", ...lock, "--no-install-recommends", ...names], { env, signal, timeoutMs: 10 * MINUTE });
  } finally {
    if (ours) fs.rmSync(policy, { force: true });
  }
}

async function python(part, { home, signal }) {
  await run("python3", ["-m", "venv", home], { signal, timeoutMs: 5 * MINUTE });
  const args = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", part.requirement];
  await run(path.join(home, "bin", "python"), args, { signal, timeoutMs: 10 * MINUTE });
}

/** Packages of npm that only such a test needs, each of an exact version and without dependencies. */
async function npm(part, { home, signal }) {
  const args = ["install", "--prefix", home, "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error", ...part.packages];
  await run("npm", args, { signal, timeoutMs: 5 * MINUTE });
}

/** The archive of a release that this machine installs from. */
async function mirror(suite) {
  const targets = (await run("apt-get", ["indextargets", "--format", "$(SUITE) $(CODENAME) $(REPO_URI)"], { quiet: true })).split("\n");
  const uri = targets.map((line) => line.split(" ")).find((names) => names[1] === suite)?.[2];
  if (uri === undefined) throw new Error(`this machine's apt has no source of Debian ${suite}`);
  return uri;
}

/** A minimal Debian on the disk, from which each test host's root is an overlay. */
async function debianRoot(part, { home, signal }) {
  needRoot();
  const debootstrap = onPath("debootstrap");
  if (debootstrap === undefined) throw new Error("debootstrap is not installed");
  const uri = await mirror(part.suite);
  const args = ["--variant=minbase", `--include=${part.packages.join(",")}`, part.suite, path.join(home, "root"), uri];
  await run(debootstrap, args, { signal, timeoutMs: 15 * MINUTE, quiet: true });
}

module.exports = { debianPackages, npm, python, "debian-root": debianRoot };
