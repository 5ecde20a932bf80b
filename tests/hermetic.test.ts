/** Tests start in an environment of their own. This runs a sample of them in a shell with settings that would break them otherwise. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { stripVTControlCharacters } from "node:util";
import { filesOf, REHEARSALS } from "./support/rehearsals.cjs";

const { SOURCE_FOLDERS } = require("../build/source-folders.cjs") as { SOURCE_FOLDERS: string[] };
const root = path.join(__dirname, "..");
const JEST = path.join(root, "node_modules", "jest", "bin", "jest.js");
/** jest.config.cjs */
const DEFAULT_LIMIT = 120_000;
const NOWHERE = "http://127.0.0.1:1";
const MISSING = "/nowhere/file";

const HARMFUL: Record<string, string> = {
  FORCE_COLOR: "3",
  CLICOLOR_FORCE: "1",
  COLUMNS: "20",
  TERM: "xterm-256color",
  LC_ALL: "xx_YY.UTF-8",
  LANG: "xx_YY.UTF-8",
  ...Object.fromEntries(["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy", "grpc_proxy"].map((name) => [name, NOWHERE])),
  NODE_USE_ENV_PROXY: "1",
  NODE_EXTRA_CA_CERTS: MISSING,
  SSL_CERT_FILE: MISSING,
  NODE_TLS_REJECT_UNAUTHORIZED: "0",
  NODE_ENV: "production",
  NODE_PATH: "/nowhere",
  NODE_DEBUG: "http,net,tls",
  DEBUG: "*",
  EDITOR: "false",
  VISUAL: "false",
  PAGER: "false",
  BASH_ENV: MISSING,
  ENV: MISSING,
  KUBECONFIG: MISSING,
  VAULT_ADDR: NOWHERE,
  VAULT_TOKEN: "hvs.not-for-tests",
  VAULT_CACERT: MISSING,
  VAULT_NAMESPACE: "elsewhere",
  VAULT_SKIP_VERIFY: "true",
  AWS_PROFILE: "nobody",
  AWS_ACCESS_KEY_ID: "AKIANOBODY",
  AWS_SECRET_ACCESS_KEY: "nothing",
  AWS_SESSION_TOKEN: "nothing",
  AWS_REGION: "nowhere-1",
  AWS_ENDPOINT_URL: NOWHERE,
  AWS_ENDPOINT_URL_S3: NOWHERE,
  AWS_CONFIG_FILE: MISSING,
  PULUMI_HOME: "/nowhere",
  PULUMI_BACKEND_URL: "s3://nowhere?endpoint=127.0.0.1:1&disableSSL=true",
  PULUMI_CONFIG_PASSPHRASE: "another",
  PULUMI_CONFIG_PASSPHRASE_FILE: MISSING,
  PULUMI_STACK: "nobody",
  PULUMI_ACCESS_TOKEN: "pul-nothing",
  PULUMI_CONFIG: "{not json",
  PULUMI_PREVIEW: "true",
  PULUMI_DEBUG_COMMANDS: "true",
  PULUMI_K8S_CLIENT_BURST: "x",
  SOPS_AGE_KEY_FILE: MISSING,
  SOPS_AGE_KEY: "AGE-SECRET-KEY-1NOTHING",
  SOPS_AGE_RECIPIENTS: "age1nobody",
  PROXMOX_VE_ENDPOINT: NOWHERE,
  PROXMOX_VE_API_TOKEN: "nobody@pve!x=y",
  PROXMOX_VE_INSECURE: "true",
  HOMELAB_LAB_DIR: "/nowhere/lab",
  HOMELAB_SECRETS_DIR: "/nowhere/secrets",
  HOMELAB_BASTION: "ssh://nobody@127.0.0.1:1",
  HOMELAB_BUNDLED_PROVIDERS: "/nowhere",
  HOMELAB_PROGRAM_PRELOAD: MISSING,
  HOMELAB_CHART_STAND_IN: NOWHERE,
  HOMELAB_PASSPHRASE_KEY: "AAAA:BBBB",
  SSH_AUTH_SOCK: MISSING,
  GIT_DIR: "/nowhere",
  GIT_CONFIG_GLOBAL: MISSING,
  GIT_CONFIG_COUNT: "1",
  GIT_CONFIG_KEY_0: "core.autocrlf",
  GIT_CONFIG_VALUE_0: "true",
  GITHUB_ACTIONS: "true",
  GITHUB_OUTPUT: MISSING,
  GITHUB_STEP_SUMMARY: MISSING,
  GITLAB_CI: "true",
  POSIXLY_CORRECT: "1",
  TZ: "America/St_Johns",
  NODE_COMPILE_CACHE: MISSING,
  NODE_V8_COVERAGE: MISSING,
  SOPS_AGE_KEY_CMD: "false",
  HOME: "/nowhere",
  XDG_CACHE_HOME: "/nowhere",
  XDG_CONFIG_HOME: "/nowhere",
  npm_config_registry: NOWHERE,
};

/** One or a few tests of each kind: pure functions, child processes, shells, servers, providers, the engine and its backends, secrets, the lab, terminal output. */
const SAMPLES = [
  "common/defer-module.test.ts",
  "common/compile-cache.test.ts",
  "ansible-replacements/roles.test.ts",
  "secrets/vault-first-boot.test.ts",
  "providers/host.test.ts",
  "tests/backends/s3.test.ts",
  "tests/lifecycle/hooks.test.ts",
  "tests/automation/inline.test.ts",
  "orchestrator/ui/tree-frame.test.ts",
];

function run(files: readonly string[]) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-hermetic-"));
  const totals = path.join(folder, "totals");
  const preload = path.join(folder, "preload.cjs");
  fs.writeFileSync(preload, 'process.stdout.write("from a preload of the shell\\n");');
  // As on a Mac, whose folder for temporary files is long and reached by a link, and with blanks besides.
  const [real, linked] = [path.join(folder, "private", "T ü 0123456789"), path.join(folder, "var")];
  fs.mkdirSync(real, { recursive: true });
  fs.symlinkSync(path.dirname(real), linked);
  const env = {
    ...HARMFUL,
    NODE_OPTIONS: `--require ${JSON.stringify(preload)}`,
    PATH: process.env["PATH"],
    TMPDIR: `${path.join(linked, path.basename(real))}/`,
    HOMELAB_TEST_TOTALS: totals,
  };
  const result = spawnSync(process.execPath, [JEST, "--maxWorkers=1", "--runTestsByPath", ...files], { cwd: root, env, encoding: "utf8" });
  const lines = stripVTControlCharacters(`${result.stdout}${result.stderr}`).split("\n");
  const failures = [...new Set(lines.filter((line) => /^\s+● /.test(line) && !line.includes("● Console")))];
  return { code: result.status, failures, totals: fs.existsSync(totals) ? closingLine(totals) : result.stderr };
}

/** The last line that print-totals.cjs prints for a file of HOMELAB_TEST_TOTALS: the sum of its counts. */
const closingLine = (totals: string): string =>
  spawnSync(process.execPath, [path.join(__dirname, "support", "print-totals.cjs"), totals], { encoding: "utf8" })
    .stdout.trim()
    .split("\n")
    .at(-1) ?? "";

test("a sample of each kind of test passes with all harmful variables set", () => {
  const { code, failures, totals } = run(SAMPLES);
  expect(failures).toEqual([]);
  expect({ code, totals }).toMatchObject({ code: 0, totals: expect.stringMatching(/^[0-9]+ passed, 0 failed, /) });
  expect(Number.parseInt(totals, 10)).toBeGreaterThan(60);
}, 900_000);

function listed(part?: string): string[] {
  const env = { PATH: process.env["PATH"], ...(part === undefined ? {} : { HOMELAB_TEST_PART: part }) };
  const { status, stdout, stderr } = spawnSync(process.execPath, [JEST, "--listTests"], { cwd: root, env, encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  return stdout.split("\n").filter(Boolean).toSorted();
}

test("each file that needs only Node is in one of make test and make test-rehearsals, and CI runs both", () => {
  const [quick, rehearsals] = [listed("quick"), listed("rehearsals")];
  expect(rehearsals).toEqual(REHEARSALS.map((name) => path.join(__dirname, `${name}.test.ts`)).toSorted());
  expect([...quick, ...rehearsals].toSorted()).toEqual(listed());
  expect(filesOf("")).toEqual(filesOf(undefined));
  expect(() => filesOf("slow")).toThrow("HOMELAB_TEST_PART is one of quick, rehearsals, not slow");
  const runs = fs.readFileSync(path.join(root, ".ci", "run"), "utf8");
  expect(runs).toMatch(/ make .*--keep-going test test-rehearsals \|\| status=\$\?$/m);
});

test("a worker keeps nothing of a test file that has ended: its memory is free, and no promise hands its contexts on", () => {
  const script = `
    const { AsyncLocalStorage } = require("node:async_hooks");
    const vm = require("node:vm");
    const { keepCode } = require("./tests/support/code-cache.cjs");
    const { endStores, watchStores } = require("./tests/support/context-stores.cjs");
    keepCode();
    watchStores();
    const [ran, entered] = [new AsyncLocalStorage(), new AsyncLocalStorage()];
    const file = () => {
      const realm = vm.createContext({});
      const made = vm.compileFunction("return 1 + 1;", [], { filename: "/module.js", parsingContext: realm });
      if (made() !== 2) throw new Error("compiled wrongly");
      return new WeakRef(realm);
    };
    (async () => {
      const first = file();
      const second = file();
      const later = ran.run("a", () => new Promise((resolve) => setImmediate(() => resolve(ran.getStore()))));
      entered.enterWith("b");
      const before = [await later, entered.getStore()];
      endStores();
      await new Promise((resolve) => setImmediate(resolve));
      global.gc();
      console.log(JSON.stringify({ kept: [first, second].filter((realm) => realm.deref() !== undefined).length, before, after: entered.getStore() ?? null }));
    })();`;
  const { stdout, stderr } = spawnSync(process.execPath, ["--expose-gc", "-e", script], { cwd: root, encoding: "utf8" });
  expect(stderr).toBe("");
  expect(JSON.parse(stdout)).toEqual({ kept: 0, before: ["a", "b"], after: null });
});

function* testFiles(folder: string): Generator<string> {
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const name = path.join(folder, entry.name);
    if (entry.isDirectory()) yield* testFiles(name);
    else if (name.endsWith(".ts")) yield name;
  }
}

test("no test is given less time than the others have, and none takes a port that it gave back: a busy machine breaks both", () => {
  const found = [...SOURCE_FOLDERS, "tests"]
    .flatMap((folder) => [...testFiles(path.join(root, folder))])
    .filter((file) => file.includes(`${path.sep}tests${path.sep}`) || file.endsWith(".test.ts"))
    .flatMap((file) => {
      const text = fs.readFileSync(file, "utf8");
      const short = [...text.matchAll(/^\s*\}\)?, (\d[\d_]*)\);$/gm)].filter(([, limit = ""]) => Number(limit.replaceAll("_", "")) < DEFAULT_LIMIT);
      // `const { port } = server.address()`, and then the server is closed before anything else is done.
      const givenBack = text.match(/\.address\(\)[^\n]*;\n\s*(await new Promise[^\n]*|server)\.close\(/g) ?? [];
      return short.length + givenBack.length === 0 ? [] : [[path.relative(root, file), ...short.map(([line]) => line.trim()), ...givenBack]];
    });
  expect(found).toEqual([]);
});
