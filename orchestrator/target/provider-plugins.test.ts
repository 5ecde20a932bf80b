/** The executable `homelab`, beside a `pulumi` that stands for an installed CLI and plugins that stand for official ones. */

import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { parse } from "yaml";

const ROOT = path.join(__dirname, "..", "..");
const PACKAGES = ["command", "kubernetes", "proxmoxve", "vault"];

let dir: string;
beforeEach(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), "plugins-"));
  for (const name of ["home", "path"]) fs.mkdirSync(path.join(dir, name));
  executable(path.join(dir, "path", "pulumi"));
});
afterEach(() => fs.rmSync(dir, { recursive: true, force: true }));

function executable(file: string): void {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, "#!/bin/sh\nexit 1\n", { mode: 0o755 });
}

const installed = (folder: string): string => path.join(dir, "home", "plugins", folder);

interface Choice {
  from: string;
  why: string;
}

function doctor(...flags: string[]): Record<string, Choice> {
  return report(...flags).providers;
}

function report(...flags: string[]): {
  providers: Record<string, Choice>;
  engine: { name: string; why: string };
  checks: { name: string; verdict: string; says: string; next?: string }[];
} {
  const env = { PATH: path.join(dir, "path"), HOME: dir, PULUMI_HOME: path.join(dir, "home"), HOMELAB_LAB_DIR: path.join(dir, "lab") };
  const { stdout, status } = spawnSync(process.execPath, [path.join(ROOT, "orchestrator/bin/homelab"), "doctor", "--json", ...flags], {
    env,
    encoding: "utf8",
  });
  const found = JSON.parse(stdout) as ReturnType<typeof report>;
  expect(status).toBe(found.checks.some(({ verdict }) => verdict === "wrong") ? 1 : 0);
  return found;
}

const labProviders = (): Record<string, string> => {
  const { plugins } = parse(fs.readFileSync(path.join(dir, "lab", "work", "Pulumi.yaml"), "utf8")) as {
    plugins?: { providers: { name: string; path: string }[] };
  };
  return Object.fromEntries((plugins?.providers ?? []).map(({ name, path: folder }) => [name, folder]));
};

test("with a stock pulumi and no plugin, the lab's project names ours by absolute paths, and doctor says so", () => {
  const providers = doctor("--lab");
  expect(labProviders()).toEqual(Object.fromEntries(PACKAGES.map((name) => [name, path.join(ROOT, "providers", name)])));
  for (const name of PACKAGES) {
    expect(providers[name]?.from).toBe(path.join(ROOT, "providers", name));
    expect(providers[name]?.why).toMatch(/named in plugins\.providers of Pulumi\.yaml; no official plugin [\d.]+ is installed/);
  }
});

test("outside the lab the Pulumi CLI downloads what is not installed, and doctor says so", () => {
  expect(doctor()["vault"]?.from).toBe("downloaded by the Pulumi CLI");
});

test("doctor says what would make a run fail, with what to do, and of the lab nothing that is its own", () => {
  const real = report().checks;
  expect(real.filter(({ verdict }) => verdict === "wrong").map(({ name, says, next }) => [name, says, next])).toEqual([
    ["secrets", "there is no age key to decrypt the secrets with", expect.stringContaining("SOPS_AGE_KEY_FILE")],
    ["state", "no state backend is set", expect.stringContaining("PULUMI_BACKEND_URL")],
  ]);
  const lab = report("--lab").checks;
  expect(real.at(-1)).toMatchObject({ name: "homelab", verdict: "look", says: "was not asked: secrets and state come first" });
  // PATH has no OpenSSH here.
  expect(lab.map(({ name }) => name)).toEqual(["checkout", "program", "disk", "ssh", "runs", "lab"]);
  expect(lab.filter(({ verdict }) => verdict === "wrong")).toEqual([]);
});

test("without a pulumi on PATH the embedded engine is used, and doctor says how to get the stock CLI", () => {
  fs.rmSync(path.join(dir, "path", "pulumi"));
  expect(report().engine).toEqual({ name: "embedded", why: expect.stringMatching(/^no pulumi is on PATH \(.*npx pulumi@<version>/) });
});

test("an official plugin of the asked version, or on PATH, is left to win; another version, and half a download, is none", () => {
  const { version } = JSON.parse(fs.readFileSync(path.join(ROOT, "node_modules/@pulumi/vault/package.json"), "utf8")) as { version: string };
  executable(path.join(installed(`resource-vault-v${version}`), "pulumi-resource-vault"));
  executable(path.join(installed("resource-command-v0.0.1"), "pulumi-resource-command"));
  const half = installed(
    `resource-kubernetes-v${(JSON.parse(fs.readFileSync(path.join(ROOT, "node_modules/@pulumi/kubernetes/package.json"), "utf8")) as { version: string }).version}`,
  );
  executable(path.join(half, "pulumi-resource-kubernetes"));
  fs.writeFileSync(`${half}.partial`, "");
  executable(path.join(dir, "path", "pulumi-resource-proxmoxve"));
  const providers = doctor("--lab");
  expect(Object.keys(labProviders()).toSorted()).toEqual(["command", "kubernetes"]);
  expect([providers["vault"]?.why, providers["proxmoxve"]?.why]).toEqual(["official plugin in PULUMI_HOME", "official plugin on PATH"]);
});
