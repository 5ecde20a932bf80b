/** `node build/real-parts.cjs` with a stand-in for `go`: what is built, in which order, and the message where a part cannot be built. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

const SCRIPT = path.resolve("build/real-parts.cjs");
let folder: string;
let cache: string;

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "real-parts "));
  cache = path.join(folder, "homelab", "real-parts");
  fs.mkdirSync(path.join(folder, "bin"));
  const go = path.join(folder, "bin", "go");
  fs.writeFileSync(go, `#!${process.execPath}\nrequire(${JSON.stringify(path.resolve("tests/real-parts/fake-go.cjs"))});\n`, { mode: 0o755 });
});
afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

const environment = (settings: object, more: Record<string, string> = {}) => ({
  XDG_CACHE_HOME: folder,
  PATH: path.join(folder, "bin"),
  FAKE_GO: JSON.stringify(settings),
  FAKE_GO_LOG: path.join(folder, "calls"),
  ...more,
});

function run(args: string[], settings: object = {}, more: Record<string, string> = {}): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [SCRIPT, ...args], { env: environment(settings, more), encoding: "utf8" });
  return { code: status, out: stdout, err: stderr };
}

const lines = (text: string): string[] => text.trimEnd().split("\n");
const statusOf = (name: string): string => lines(run(["status"]).out).find((line) => line.includes(` ${name} (`)) ?? "";
const calls = (): string[] => (fs.existsSync(path.join(folder, "calls")) ? lines(fs.readFileSync(path.join(folder, "calls"), "utf8")) : []);

test("the named parts are built in the list's order, with replacements and files as the list says; Go's caches stay for the others", () => {
  const done = run(["install", "external-secrets,pulumi", "kubectl"]);
  expect(lines(done.out).filter((line) => / of 3: /.test(line))).toEqual([
    "1 of 3: kubectl, about 1 min; left: pulumi, external-secrets",
    expect.stringMatching(/^2 of 3: pulumi, (about \d+|less than a) min(ute)?; left: external-secrets$/),
    expect.stringMatching(/^3 of 3: external-secrets, (about \d+|less than a) min(ute)?$/),
  ]);
  expect(fs.readdirSync(cache).sort()).toEqual(["external-secrets-v0.16.2", "go", "kubectl-v1.34.2", "pulumi-v3.260.0"]);
  expect(fs.readdirSync(path.join(cache, "external-secrets-v0.16.2")).sort()).toEqual([".complete", "external-secrets", "files"]);
  expect(fs.readFileSync(path.join(cache, "external-secrets-v0.16.2", "files", "deploy", "crds", "bundle.yaml"), "utf8")).toBe(
    "kind: CustomResourceDefinition\n",
  );
  // Tests read a module's files and change none.
  expect(fs.statSync(path.join(cache, "external-secrets-v0.16.2", "files", "deploy", "crds", "bundle.yaml")).mode & 0o777).toBe(0o444);
  // Programs are stripped: without symbols (-s), and without debug information (-w), which is not even made.
  const builds = calls().filter((call) => call.startsWith("build "));
  expect(builds).toHaveLength(3);
  expect(builds.filter((call) => !/ -gcflags=all=-dwarf=false -ldflags=-s -w /.test(call))).toEqual([]);
  const goMod = fs.readFileSync(path.join(cache, "kubectl-v1.34.2", "kubectl"), "utf8");
  expect(goMod).toContain("require k8s.io/kubernetes v1.34.2\n");
  expect(goMod).toContain("replace k8s.io/api => k8s.io/api v0.34.2\n");
  expect(statusOf("pulumi")).toBe(`found    pulumi (v3.260.0): ${path.join(cache, "pulumi-v3.260.0", "pulumi")}`);

  fs.rmSync(path.join(folder, "calls"));
  expect(run(["install", "pulumi,kubectl"]).out).toBe("");
  expect(calls()).toEqual([]);
});

test("a part with a main of ours builds that, with the module's own files beside it", () => {
  const goMod = "module m\n\ngo 1.24.7\n";
  const made = run(["install", "pulumi-kubernetes"], { goMod });
  // The fake module has no schema.json. The part fails, and the error names the file.
  expect(made.out).toMatch(/cannot install pulumi-kubernetes: ENOENT.*schema\.json/);
  expect(statusOf("pulumi-kubernetes")).toMatch(/^missing {2}pulumi-kubernetes \(v4.*\): ENOENT/);
});

test("a part with files of ours in the place of the module's own is built from a copy that has them", () => {
  run(["install", "vault"]);
  const built = fs.readFileSync(path.join(cache, "vault-v1.21.0", "vault"), "utf8");
  expect(built).toContain("replace github.com/hashicorp/vault => ./module\n");
  for (const file of ["vault-plugins.go", "vault-storage.go"]) expect(built).toContain(fs.readFileSync(path.join("build/real-parts/instead", file), "utf8"));
  expect(built).not.toContain("the module's own");
  expect(calls().find((call) => call.startsWith("build"))).toContain(" -tags minimal ");
  expect(fs.readdirSync(path.join(cache, "vault-v1.21.0")).sort()).toEqual([".complete", "vault"]);

  expect(run(["install", "external-dns"], { noFiles: true }).out).toContain(
    "cannot install external-dns: sigs.k8s.io/external-dns has no provider/factory/provider.go any more, which external-dns-providers.go replaces",
  );
});

describe("where a part cannot be had, its reason says what to do, and the others are built", () => {
  test.each<[string, object, string]>([
    ["Go is too old", { version: "1.20.3" }, "Go 1.20.3 is too old: pulumi needs Go 1.24.0 or newer"],
    [
      "Go is too old for a module that the part needs",
      { build: { pulumi: "go: x@v1 requires go >= 1.99.0 (running go 1.26.8; GOTOOLCHAIN=local)" } },
      "Go is too old: pulumi needs Go 1.99.0 or newer (go: x@v1 requires go >= 1.99.0 (running go 1.26.8; GOTOOLCHAIN=local))",
    ],
    ["Go says no version", { version: "tip" }, `"go version" says "go version gotip linux/amd64", which names no version`],
    [
      "another checksum",
      { sum: "h1:other=" },
      "github.com/pulumi/pulumi/pkg/v3@v3.260.0 is refused: its checksum is h1:other=, and h1:ZX83V+7CpqH/OP3Ah47qxPFv74CkGUP409FxkRu82d0= is pinned in build/real-parts.json",
    ],
    [
      "a dependency's checksum",
      { build: { pulumi: "verifying a@v1: checksum mismatch\n\tSECURITY ERROR" } },
      "a module that pulumi needs is refused: its checksum is not the published one (verifying a@v1: checksum mismatch)",
    ],
    [
      "a module that is not served",
      { download: "go: m@v1: reading https://proxy.invalid/m: 404 Not Found" },
      "the module proxy does not serve github.com/pulumi/pulumi/pkg/v3@v3.260.0 or what it needs (go: m@v1: reading https://proxy.invalid/m: 404 Not Found)",
    ],
    [
      "no network",
      { download: "dial tcp: lookup proxy.invalid: no such host" },
      "the module proxy cannot be reached (dial tcp: lookup proxy.invalid: no such host)",
    ],
    [
      "a full disk",
      { build: { pulumi: "compile: writing output: write $WORK/b001/_pkg_.a: no space left on device" } },
      "the disk is full; make room in the cache's file system (see docs/real-parts.md for what parts need) (compile: writing output: write $WORK/b001/_pkg_.a: no space left on device)",
    ],
    [
      "too little memory",
      { build: { pulumi: "a/b: compile: signal: killed" } },
      "the compiler was killed, probably for want of memory; a build needs about 4 GB (a/b: compile: signal: killed)",
    ],
    ["anything else", { build: { pulumi: "x.go:1: undefined: y" } }, "go build ended with exit code 1: x.go:1: undefined: y"],
  ])("%s", (_, settings, reason) => {
    const done = run(["install", "pulumi"], settings);
    expect(done.code).toBe(0);
    expect(lines(done.out)).toContain(`cannot install pulumi: ${reason}`);
    expect(statusOf("pulumi")).toBe(`missing  pulumi (v3.260.0): ${reason}; make real-parts PARTS=pulumi (needs Go)`);
    expect(run(["install", "pulumi"]).out).toMatch(/^installed pulumi in/m);
  });

  test("no Go", () => {
    fs.rmSync(path.join(folder, "bin", "go"));
    expect(lines(run(["install", "vault"]).out)).toContain("cannot install vault: Go is not installed; install Go 1.26 or newer");
  });

  test("one that fails takes no other with it", () => {
    const done = run(["install", "pulumi,vault"], { build: { pulumi: "broken" } });
    expect(done.out).toMatch(/^installed vault in/m);
  });

  test("a Go that fetches a newer one by itself is asked to build", () => {
    expect(run(["install", "pulumi"], { version: "1.22.0", toolchain: "auto", goMod: "module m\n\ngo 1.24.0\n" }).out).toContain("installed pulumi");
  });
});

test("what another recipe or another version made is no part, and is named", () => {
  const home = path.join(cache, "vault-v1.21.0");
  fs.mkdirSync(home, { recursive: true });
  fs.mkdirSync(path.join(cache, "vault-v1.20.0"));
  fs.mkdirSync(path.join(cache, "pulumi-kubernetes-v4.0.0"));
  fs.writeFileSync(path.join(cache, "pulumi-kubernetes.missing"), "some reason\n");
  fs.writeFileSync(path.join(home, "vault"), "");
  expect(statusOf("vault")).toContain("vault (v1.21.0): its build was cut; make real-parts PARTS=vault");
  fs.writeFileSync(path.join(home, ".complete"), "another recipe's digest\n");
  expect(statusOf("vault")).toContain("the one in the cache was made by another recipe");
  fs.rmSync(home, { recursive: true });
  expect(statusOf("vault")).toContain("it is not installed; the cache has another version (v1.20.0)");
  expect(statusOf("pulumi")).toContain("pulumi (v3.260.0): it is not installed; make");
  expect(lines(run(["status"]).out)).toContain(`unused   vault (v1.20.0): ${path.join(cache, "vault-v1.20.0")} can be removed`);
  expect(run(["status"]).out).not.toContain(".missing");
});

describe("the budget", () => {
  test("what does not fit is skipped by name, smaller parts are still built, and Go's caches stay for the next run", () => {
    const done = run(["install", "kube-apiserver,kubectl,vault"], {}, { HOMELAB_REAL_BUDGET: "2" });
    const why = /it takes about 7 min and [12] of HOMELAB_REAL_BUDGET=2 min were left; the next make real-parts builds it/;
    expect(lines(done.out)[0]).toMatch(new RegExp(`^skipped kube-apiserver: ${why.source}$`));
    expect(done.out).toMatch(/^installed kubectl in/m);
    expect(statusOf("kube-apiserver")).toMatch(why);
    expect(fs.existsSync(path.join(cache, "go", "build"))).toBe(true);
    run(["install", "kube-apiserver"]);
    expect(fs.existsSync(path.join(cache, "go", "build"))).toBe(true);
    expect(lines(run(["install"]).out).at(-1)).toBe("removed Go's caches of these builds");
    expect(fs.existsSync(path.join(cache, "go"))).toBe(false);
  });

  test("one that is no number is refused", () => {
    const done = run(["install", "vault"], {}, { HOMELAB_REAL_BUDGET: "soon" });
    expect([done.code, done.err]).toEqual([1, 'error: HOMELAB_REAL_BUDGET is "soon"; it must be a number of minutes above 0\n']);
  });
});

test("a build that is stopped leaves no part and no process; the next run builds it", async () => {
  const child = spawn(process.execPath, [SCRIPT, "install", "pulumi,vault"], { env: environment({ build: { pulumi: "hangs" } }) });
  const text = await untilHangs(child);
  const another = run(["install", "vault"]);
  expect([another.code, another.err]).toEqual([1, `error: process ${child.pid} builds real parts in ${cache}; wait for it, or stop it by its id\n`]);
  child.kill("SIGTERM");
  const code = await new Promise((resolve) => child.once("close", resolve));
  expect(code).toBe(130);
  expect(text()).toContain("cannot install pulumi: its build was cut (go build was stopped: half-way); the next make real-parts goes on where it stood");
  expect(text()).toContain("skipped vault: make real-parts was stopped before it; the next one builds it");
  expect(statusOf("pulumi")).toContain("missing");
  expect(run(["install", "pulumi"]).out).toContain("installed pulumi");
});

async function untilHangs(child: ChildProcess): Promise<() => string> {
  let text = "";
  child.stdout?.on("data", (data) => {
    text += String(data);
  });
  await new Promise<void>((resolve) => {
    child.stderr?.on("data", (data) => {
      if (String(data).includes("half-way")) resolve();
    });
  });
  return () => text;
}

test("a part that nobody knows is refused by name", () => {
  const done = run(["install", "valt"]);
  expect(done.code).toBe(1);
  expect(done.err).toMatch(/^error: no part is named valt; there are ip, ssh, .*vault/);
});
