// The environment in which tests begin, whatever the shell of who runs them holds: proxies, credentials, locales, colours, preloads.
// Applied by jest.config.cjs to jest itself, and by node-environment.cjs to each of its workers (to which jest adds FORCE_COLOR).
"use strict";
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");

/** Where programs are, who runs them, and what the tests themselves are told. */
const KEPT = /^(PATH|USER|LOGNAME|TMPDIR|CI|JEST_.*|HOMELAB_TEST_.*|HOMELAB_CANARY_.*|HOMELAB_REAL_.*|HOMELAB_RECORD|HOMELAB_ALL_CASES|FUZZ_.*)$/;

/** Real programs are installed, and some are downloaded, by this machine's own ways. */
const KEPT_FOR_REAL =
  /^(HOME|XDG_CACHE_HOME|GO[A-Z]+|PIP_.*|(https?|no|all)_proxy|SSL_CERT_(FILE|DIR)|NODE_EXTRA_CA_CERTS|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE)$/i;

/** Made once a run, by jest's own process; its workers inherit the name. */
function ownHome() {
  const made = process.env.HOMELAB_TEST_HOME;
  if (made) return made;
  const home = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-test-home-"));
  process.on("exit", () => fs.rmSync(home, { recursive: true, force: true }));
  return home;
}

/** Changes this process's environment; again changes nothing more. */
function applyOwnEnvironment() {
  const real = process.env.HOMELAB_TEST_REAL === "1";
  for (const name of Object.keys(process.env)) {
    if (!KEPT.test(name) && !(real && KEPT_FOR_REAL.test(name))) delete process.env[name];
  }
  process.env.NODE_ENV = "test";
  // Without it, bash takes a socket as its standard input for a remote login, and reads its start-up files.
  process.env.SHLVL = "1";
  // global-setup.cjs has compiled this checkout: what tests start need not look through all of it again (build/ensure.cjs).
  if (process.env.HOMELAB_TEST_BUILT) process.env.HOMELAB_BUILT = process.env.HOMELAB_TEST_BUILT;
  if (!real) process.env.HOME = process.env.HOMELAB_TEST_HOME = ownHome();
}

module.exports = { applyOwnEnvironment };
