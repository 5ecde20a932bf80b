// The product's tests in a checkout with another site: node build/test-another-site.cjs [--lab] [jest paths]
// A copy of this checkout without its site gets one by `homelab init`; --lab builds it as well, twice, the second time without a change.
"use strict";
require("./node-version.cjs");
const { spawnSync } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");

const root = path.resolve(__dirname, "..");

/** Tests that read the checkout's site: its files, its settings, its secrets, or the program with them. */
const DEPENDENT = [
  "checkout/(site|stacks|secrets|scaffold)/",
  "checkout/orchestrator/(cli|target)/",
  "checkout/tests/program/",
  "checkout/tests/lab-only",
  "checkout/tests/contract/providers/inventory-vms",
  "checkout/tests/orchestrator/(init|asks-first|lab-site|lab-start|command-line)",
];
const INIT = {
  ...{ domain: "example.org", network: "10.20.0.0/24", node: "pve=10.20.0.2", stacks: "tools,dev", user: "ops" },
  ...{ storage: "tank", "file-storage": "images", bridge: "vmbr7" },
};

function copy(folder) {
  const left = new Set([".git", ".lab", ".homelab", "node_modules", "site", "bin", ".sops.yaml", path.join("secrets", "common")]);
  const isLeft = (name) => left.has(name) || /^Pulumi\..+\.yaml$/.test(name);
  fs.cpSync(root, folder, { recursive: true, preserveTimestamps: true, filter: (source) => !isLeft(path.relative(root, source)) });
  fs.symlinkSync(path.join(root, "node_modules"), path.join(folder, "node_modules"));
}

function main(args) {
  const withLab = args.includes("--lab");
  const given = args.filter((arg) => arg !== "--lab");
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-another-site-"));
  const checkout = path.join(folder, "checkout");
  const env = { ...process.env, HOME: path.join(folder, "home"), HOMELAB_LAB_DIR: path.join(folder, "lab"), NODE_OPTIONS: "" };
  delete env.XDG_CONFIG_HOME;
  const run = (...words) => {
    process.stdout.write(`$ node ${words.join(" ")}\n`);
    const { status, error } = spawnSync(process.execPath, words, { cwd: checkout, env, stdio: "inherit" });
    if (error) throw error;
    if (status !== 0) throw new Error(`node ${words.join(" ")} ended with exit code ${status === null ? "none" : status}`);
  };
  const homelab = path.join("orchestrator", "bin", "homelab");
  try {
    fs.mkdirSync(env.HOME);
    copy(checkout);
    run(homelab, "init", "--yes", ...Object.entries(INIT).flatMap(([flag, value]) => [`--${flag}`, value]));
    run(path.join("build", "build.cjs"));
    run(path.join("node_modules", "jest", "bin", "jest.js"), "-w", "1", ...(given.length > 0 ? given : DEPENDENT));
    if (withLab) {
      const ports = ["--proxy-port", "0", "--bastion-port", "0", "--control-port", "0"];
      run(homelab, "lab", "start", "--latency", "zero", ...ports);
      run(homelab, "up", "--lab");
      run(homelab, "preview", "--lab", "--expect-no-changes");
      run(homelab, "destroy", "--lab");
    }
  } finally {
    if (withLab) spawnSync(process.execPath, [homelab, "lab", "stop"], { cwd: checkout, env, stdio: "inherit" });
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

try {
  main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
