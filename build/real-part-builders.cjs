// How each kind of real part is made. Each function throws with the reason where it cannot be.
"use strict";
const { spawnSync } = require("node:child_process");
const { createHash } = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");

const MINUTE = 60_000;
/** kube-apiserver takes about ten minutes on two busy cores. */
const GO_LIMIT_MS = 25 * MINUTE;

/** Names a set of packages, so that a changed set is another folder. */
const digest = (part) => createHash("sha256").update(JSON.stringify(part)).digest("hex").slice(0, 12);

function needRoot() {
  if (process.platform !== "linux" || process.getuid?.() !== 0) throw new Error("needs root on Linux");
}

function output(command, args, options = {}) {
  const result = spawnSync(command, args, { encoding: "utf8", ...options });
  if (result.status !== 0) throw new Error(`${command} ${args[0] ?? ""}: ${(result.stderr || result.error?.message || "failed").trim().split("\n").at(-1)}`);
  return result.stdout;
}

/** Packages of this machine's own distribution, from its own sources. Daemons that they bring are not started. */
function debianPackages(parts, { run, onPath }) {
  needRoot();
  if (onPath("apt-get") === undefined) throw new Error("needs a Debian system");
  const policy = "/usr/sbin/policy-rc.d";
  const ours = !fs.existsSync(policy);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const lock = ["-o", "DPkg::Lock::Timeout=300"];
  if (ours) fs.writeFileSync(policy, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  try {
    run("apt-get", ["update", "-qq"], { env, timeout: 5 * MINUTE });
    run("apt-get", ["install", "-qq", "-y", ...lock, "--no-install-recommends", ...parts.map((part) => part.package)], { env, timeout: 10 * MINUTE });
  } finally {
    if (ours) fs.rmSync(policy, { force: true });
  }
}

/** A part's folder is made aside and moved into place whole. */
function inNewHome(home, make) {
  fs.rmSync(home, { recursive: true, force: true });
  fs.mkdirSync(home, { recursive: true });
  make(home);
  fs.writeFileSync(path.join(home, ".complete"), "");
}

/** The module's text of replacements points into folders that a module does not contain; the same modules are published by version. */
function stagingReplacements(goMod, stagingVersion) {
  const names = [...goMod.matchAll(/^\t(\S+) => \.\/staging\//gm)].map((match) => match[1]);
  if (names.length === 0) throw new Error("the module has no staging replacements any more");
  return `replace (\n${names.map((name) => `\t${name} => ${name} ${stagingVersion}\n`).join("")})\n`;
}

/** A Go program at one version: the module's checksum is pinned here, its dependencies' by its own list and the checksum database. */
function go(part, { run, home }) {
  const found = spawnSync("go", ["version"], { encoding: "utf8" });
  if (found.status !== 0) throw new Error("Go is not installed");
  const at = `${part.module}@${part.version}`;
  const module = JSON.parse(output("go", ["mod", "download", "-json", at], { timeout: 5 * MINUTE }));
  if (module.Sum !== part.sum) throw new Error(`${at} has the checksum ${module.Sum}, expected ${part.sum}`);
  inNewHome(home, (folder) => {
    const source = path.join(folder, "source");
    fs.mkdirSync(source);
    const goMod = fs.readFileSync(module.GoMod, "utf8");
    const replace = part.stagingVersion === undefined ? "" : stagingReplacements(goMod, part.stagingVersion);
    const language = /^go .+$/m.exec(goMod)?.[0] ?? "go 1.24.0";
    fs.writeFileSync(path.join(source, "go.mod"), `module homelab.invalid/real-part\n\n${language}\n\nrequire ${part.module} ${part.version}\n\n${replace}`);
    fs.copyFileSync(path.join(module.Dir, "go.sum"), path.join(source, "go.sum"));
    fs.chmodSync(path.join(source, "go.sum"), 0o644);
    const command = part.command === "." ? part.module : `${part.module}/${part.command}`;
    const args = ["build", "-mod=mod", "-trimpath", `-ldflags=-s -w ${part.ldflags ?? ""}`, "-o", path.join(folder, part.name), command];
    run("go", args, { cwd: source, timeout: GO_LIMIT_MS, env: { ...process.env, CGO_ENABLED: "0", GOFLAGS: "-mod=mod", GOWORK: "off" } });
  });
}

function python(part, { run, home }) {
  inNewHome(home, (folder) => {
    run("python3", ["-m", "venv", folder], { timeout: 5 * MINUTE });
    run(path.join(folder, "bin", "python"), ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", part.requirement], { timeout: 10 * MINUTE });
  });
}

/** The archive of a release that this machine installs from. */
function mirror(suite) {
  const targets = output("apt-get", ["indextargets", "--format", "$(SUITE) $(CODENAME) $(REPO_URI)"]).split("\n");
  const uri = targets.map((line) => line.split(" ")).find((names) => names[1] === suite)?.[2];
  if (uri === undefined) throw new Error(`this machine's apt has no source of Debian ${suite}`);
  return uri;
}

/** A minimal Debian on the disk, from which each test host's root is an overlay. */
function debianRoot(part, { run, onPath, home }) {
  needRoot();
  const debootstrap = onPath("debootstrap");
  if (debootstrap === undefined) throw new Error("debootstrap is not installed");
  const uri = mirror(part.suite);
  inNewHome(home, (folder) => {
    const include = part.packages.join(",");
    run(debootstrap, ["--variant=minbase", `--include=${include}`, part.suite, path.join(folder, "root"), uri], { timeout: 15 * MINUTE, stdio: "ignore" });
  });
}

module.exports = { digest, debianPackages, go, python, "debian-root": debianRoot };
