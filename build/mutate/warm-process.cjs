// A process in which test files run warm (warm.cjs), asked from outside; one that does not answer in time is ended, and another begins.
"use strict";
const { fork } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");

class WarmProcess {
  #root;
  #child;
  /** The temporary folder of the process and its tests. The process is killed, so it cannot remove that itself. */
  #temporary;
  #changed = false;

  /** @param {string} root of the checkout whose tests are run */
  constructor(root) {
    this.#root = root;
  }

  /** Whether nothing has run in it yet. */
  get isNew() {
    return this.#child === undefined;
  }

  /** To be called when a source was written: what tests share is dropped before the next run. */
  sourcesChanged() {
    this.#changed = true;
  }

  #start() {
    this.#temporary = fs.mkdtempSync(path.join(os.tmpdir(), "warm-"));
    // It also gets a home of its own, not that of the tests that start this process.
    const env = { ...process.env, NODE_OPTIONS: "", TMPDIR: this.#temporary, HOMELAB_TEST_HOME: "" };
    const child = fork(__filename, [this.#root], { cwd: this.#root, env, stdio: ["ignore", "ignore", "pipe", "ipc"] });
    // The last lines of stderr, for a process that ends by itself.
    child.said = "";
    child.stderr.on("data", (chunk) => {
      child.said = `${child.said}${chunk}`.slice(-2000);
    });
    return child;
  }

  /**
   * @param {string} test its path below the root
   * @param {number} seconds that it may take
   * @returns {Promise<{ wrong: string[], loaded: string[], seconds: number } | null>} as warm.cjs gives it; null when the time was up
   */
  async run(test, seconds) {
    this.#child ??= this.#start();
    const child = this.#child;
    let timer;
    const answer = await new Promise((resolve) => {
      timer = setTimeout(() => resolve(null), seconds * 1000);
      child.once("message", resolve);
      child.once("exit", (code, signal) => resolve({ wrong: [`the process ended (${signal ?? code}): ${child.said}`], loaded: [], seconds: 0 }));
      child.send({ test, changed: this.#changed });
      this.#changed = false;
    });
    clearTimeout(timer);
    child.removeAllListeners("message").removeAllListeners("exit");
    if (answer === null || child.exitCode !== null || child.signalCode !== null) this.stop();
    return answer;
  }

  /** The next run begins in a new process. */
  stop() {
    if (this.#child === undefined) return;
    this.#child.kill("SIGKILL");
    this.#child = undefined;
    // It may still be writing for a moment.
    fs.rmSync(this.#temporary, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Runs in the child process: runs tests as messages ask for them. */
function serve(root) {
  require(path.join(root, "tests", "support", "own-environment.cjs")).applyOwnEnvironment();
  // Processes that tests start run the compiled files as they are.
  process.env.HOMELAB_TEST_BUILT = process.env.HOMELAB_BUILT = root;
  const { run, forgetRun } = require("./warm.cjs").warmRunner(root);
  // After the tests' own environment was made, which Jest's configuration does. A child with another environment is not recorded.
  const list = path.join(process.env.TMPDIR, "loaded-by-children");
  Object.assign(process.env, {
    HOMELAB_MUTATE_ROOT: root,
    HOMELAB_MUTATE_LOADED: list,
    NODE_OPTIONS: `--require=${path.join(__dirname, "children.cjs")}`,
  });
  /** Sources that child processes have loaded since the last call. */
  const loadedByChildren = () => {
    if (!fs.existsSync(list)) return [];
    const names = fs.readFileSync(list, "utf8").split("\n").slice(0, -1);
    fs.rmSync(list);
    return names;
  };
  // Work that a test left running may fail after the test.
  for (const event of ["uncaughtException", "unhandledRejection"]) process.on(event, () => undefined);
  process.on("disconnect", () => process.exit());
  process.on("message", async ({ test, changed }) => {
    if (changed) forgetRun();
    const answer = await run(test);
    process.send({ ...answer, loaded: [...new Set([...answer.loaded, ...loadedByChildren()])] });
  });
}

module.exports = { WarmProcess };
if (require.main === module) serve(process.argv[2]);
