import { execFileSync, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { HOMELAB, loadHomelab, useHomelabSecrets } from "../tests/support/homelab";
import { describe as describeHomelab } from "./describe";
import { loadEstate } from "./load/estate";
import { readSettings } from "./load/settings-files";

const root = path.join(__dirname, "..");
const script = path.join(root, "bin/stacks/describe.js");

const STACK_NAMES = loadHomelab().stacks.map(({ name }) => name);

// The tests of this checkout use its own secrets.
afterEach(() => {
  delete process.env["HOMELAB_SECRETS_DIR"];
});

test("it prints this checkout's stacks as JSON", () => {
  const description = JSON.parse(execFileSync(process.execPath, [script], { encoding: "utf8" }));
  const { site, stacks } = loadEstate();
  expect([description.version, description.site]).toEqual([1, site.domain]);
  expect(description.stacks.map((s: { name: string }) => s.name)).toEqual(stacks.map(({ name }) => name));
});

test("it gives on what the site's files are warned about, and what the stacks' requests are", () => {
  useHomelabSecrets();
  const estate = loadHomelab();
  const before = (describeHomelab(estate) as { warnings: string[] }).warnings;
  const warned = { ...estate, warnings: new Map([["k8s-dev", ["a first thing", "a second"]]]) };
  expect((describeHomelab(warned) as { warnings: string[] }).warnings.slice(0, 2)).toEqual(["a first thing", "a second"]);
  expect(before).not.toContain("a second");
});

test("it describes each stack with its needs, its VMs and its platform", () => {
  useHomelabSecrets();
  const description = JSON.parse(JSON.stringify(describeHomelab(loadHomelab())));
  expect(description).toMatchObject({ version: 1, project: "homelab" });
  expect(description.stacks.map((s: { name: string }) => s.name)).toEqual(["tools", "observability", "home", "sandboxy", "dev", "stg", "prod"]);
  expect(description.stacks.filter((s: { vault: boolean }) => s.vault).map((s: { name: string }) => s.name)).toEqual(["tools"]);
  expect(description.stacks[5]).toEqual({
    name: "stg",
    needs: ["tools", "observability", "dev"],
    description: "the last stop before production: runs images that dev ran",
    vms: ["k8s-stg"],
    vault: false,
    machines: [{ name: "k8s-stg", node: expect.stringMatching(/^node0\d$/), address: expect.stringMatching(/^192\.168\.1\.\d+$/), cluster: true }],
    apps: ["enqueuer", "memorizer", "writer", "ascii-frontend", "realstate-scrapper", "cks-backend", "cks-frontend"],
    deliveredByArgoCd: [],
    platform: {
      cluster: "k3s",
      requests: "1 of 3.5 processors, 1.8 GiB of 2.5 GiB of memory, 0 GiB of 22 GiB of volumes",
      modules: [
        { name: "cert-manager", charts: ["cert-manager v1.21.1"], after: [], namespaces: ["cert-manager"] },
        { name: "cluster-access", charts: [], after: [], namespaces: ["vault-access"] },
        { name: "external-secrets", charts: ["external-secrets 2.9.0"], after: [], namespaces: ["external-secrets"] },
        { name: "external-dns", charts: ["external-dns 1.21.1"], after: ["cluster-access", "external-secrets"], namespaces: ["external-dns"] },
        {
          name: "box",
          charts: ["kube-state-metrics 8.4.0", "prometheus-node-exporter 4.56.1", "opentelemetry-collector 0.170.0", "opentelemetry-collector 0.170.0"],
          after: ["cluster-access", "external-secrets"],
          namespaces: ["box"],
        },
      ],
      hosts: [
        { name: "stg.api.cks.fullstack.pw", owner: "cks-backend", serves: "cks-backend", route: "ingress" },
        { name: "stg.ascii.fullstack.pw", owner: "ascii-frontend", serves: "ascii-frontend", route: "ingress" },
        { name: "stg.cks.fullstack.pw", owner: "cks-frontend", serves: "cks-frontend", route: "ingress" },
        { name: "stg.enqueuer.fullstack.pw", owner: "enqueuer", serves: "enqueuer", route: "ingress" },
        { name: "stg.memorizer.fullstack.pw", owner: "memorizer", serves: "memorizer", route: "ingress" },
        { name: "stg.realstate-scrapper.fullstack.pw", owner: "realstate-scrapper", serves: "realstate-scrapper", route: "ingress" },
        { name: "stg.writer.fullstack.pw", owner: "writer", serves: "writer", route: "ingress" },
      ],
    },
  });
});

test("it loads no Pulumi SDK", () => {
  const code = `require(${JSON.stringify(script)}); const d = require(${JSON.stringify(script)}).describe(); const sdk = Object.keys(require.cache).filter((f) => f.includes("node_modules/@pulumi")); process.stdout.write(JSON.stringify(sdk.concat(d.version)));`;
  expect(spawnSync(process.execPath, ["-e", code], { encoding: "utf8" }).stdout).toBe("[1]");
});

test("a broken VM file in a checkout is one line of JSON on standard error, and exit code 1", () => {
  const copy = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-describe-"));
  try {
    for (const folder of ["bin/site", "bin/stacks", "bin/common", "bin/components", "bin/secrets", "bin/ansible-replacements", "site", "secrets"])
      fs.cpSync(path.join(root, folder), path.join(copy, folder), { recursive: true });
    for (const file of fs.readdirSync(root).filter((name) => name.startsWith("Pulumi."))) fs.copyFileSync(path.join(root, file), path.join(copy, file));
    fs.symlinkSync(path.join(root, "node_modules"), path.join(copy, "node_modules"));
    const [broken = ""] = fs.readdirSync(path.join(copy, "site/vms"));
    fs.appendFileSync(path.join(copy, "site/vms", broken), "memmory: 1\n");
    const result = spawnSync(process.execPath, [path.join(copy, "bin/stacks/describe.js")], { encoding: "utf8" });
    expect([result.status, result.stdout]).toEqual([1, ""]);
    expect(result.stderr.trimEnd().split("\n")).toHaveLength(1);
    const lines = fs
      .readFileSync(path.join(copy, "site/vms", broken), "utf8")
      .trimEnd()
      .split("\n").length;
    expect(JSON.parse(result.stderr)).toEqual({
      code: "E_INVENTORY",
      message: `site/vms/${broken}:${lines}: memmory: unknown key; did you mean "memory"?`,
      hint: "correct the lines that are named; docs/vms.md lists every key",
      subject: `site/vms/${broken}`,
    });
  } finally {
    fs.rmSync(copy, { recursive: true });
  }
});

describe("settings files", () => {
  let folder: string;
  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-settings-"));
    for (const file of fs.readdirSync(HOMELAB).filter((name) => /^Pulumi\..+\.yaml$/.test(name)))
      fs.copyFileSync(path.join(HOMELAB, file), path.join(folder, file));
  });
  afterEach(() => fs.rmSync(folder, { recursive: true }));

  test("of all stacks are accepted", () => expect(() => readSettings(folder, STACK_NAMES)).not.toThrow());

  test("that are missing are named", () => {
    fs.rmSync(path.join(folder, "Pulumi.stg.yaml"));
    expect(() => readSettings(folder, STACK_NAMES)).toThrow('Pulumi.stg.yaml is missing: the stack "stg" has no settings');
  });

  test("that are a folder, or cannot be read for another reason, are named", () => {
    fs.rmSync(path.join(folder, "Pulumi.stg.yaml"));
    fs.mkdirSync(path.join(folder, "Pulumi.stg.yaml"));
    expect(() => readSettings(folder, STACK_NAMES)).toThrow(expect.objectContaining({ code: "E_CONFIG_FILE", message: "Pulumi.stg.yaml cannot be read" }));
  });

  test("of no stack are named", () => {
    fs.writeFileSync(path.join(folder, "Pulumi.staging.yaml"), "config: {}\n");
    expect(() => readSettings(folder, STACK_NAMES)).toThrow("Pulumi.staging.yaml belongs to no stack");
  });
});
