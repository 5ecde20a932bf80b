// The environment in which tests start, independent of the user's shell with its proxies, credentials, locales, colours and preloads.
// jest.config.cjs applies it to jest itself, and node-environment.cjs to each worker (to which jest adds FORCE_COLOR).
"use strict";
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");

/** Variables that are kept: where programs are, who the user is, and settings of the tests themselves. */
const KEPT = /^(PATH|USER|LOGNAME|TMPDIR|CI|JEST_.*|HOMELAB_TEST_.*|HOMELAB_CANARY_.*|HOMELAB_REAL_.*|HOMELAB_RECORD|HOMELAB_ALL_CASES|FUZZ_.*)$/;

/** Variables that are also kept for tests with real programs, which are installed or downloaded with this machine's settings. */
const KEPT_FOR_REAL =
  /^(HOME|XDG_CACHE_HOME|GO[A-Z]+|PIP_.*|(https?|no|all)_proxy|SSL_CERT_(FILE|DIR)|NODE_EXTRA_CA_CERTS|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE)$/i;

/** An empty home. Jest's main process creates it once a run, and the workers inherit its name. */
function ownHome() {
  const made = process.env.HOMELAB_TEST_HOME;
  if (made) return made;
  const home = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-test-home-"));
  process.on("exit", () => fs.rmSync(home, { recursive: true, force: true }));
  return home;
}

/** Changes this process's environment. A second call does nothing. */
function applyOwnEnvironment() {
  const real = process.env.HOMELAB_TEST_REAL === "1";
  for (const name of Object.keys(process.env)) {
    if (!KEPT.test(name) && !(real && KEPT_FOR_REAL.test(name))) delete process.env[name];
  }
  process.env.NODE_ENV = "test";
  // Without SHLVL, bash with a socket as its standard input assumes a remote login, and reads its start-up files.
  process.env.SHLVL = "1";
  // global-setup.cjs has compiled this checkout, so what tests start need not check all of it again (build/ensure.cjs).
  if (process.env.HOMELAB_TEST_BUILT) process.env.HOMELAB_BUILT = process.env.HOMELAB_TEST_BUILT;
  if (!real) process.env.HOME = process.env.HOMELAB_TEST_HOME = ownHome();
}

module.exports = { applyOwnEnvironment };
