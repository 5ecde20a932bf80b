import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { compileRole } from "../ansible-replacements";
import { loadHomelab, useHomelabSecrets } from "../tests/support/homelab";
import { mockEngine, only, plain, type Registered, settle } from "../tests/support/pulumi-mocks";
import { changedRuns, homelabRuns } from "../tests/support/stack-run";
import main from "./index";
import { vmNames } from "./load/stacks";
import { outputSchemas } from "./outputs/schemas";
import { planEstate, stackOf } from "./plan/plan";

useHomelabSecrets();
const { names: STACK_NAMES, references, ran: runStack } = homelabRuns();
const estate = loadHomelab();
const plans = planEstate(estate);

process.env["SOPS_AGE_KEY_FILE"] = path.join(__dirname, "../secrets/lab-only.agekey");

test.each(STACK_NAMES)("the program of %s registers its VMs, its cluster and its platform", async (stack) => {
  const { registered } = await runStack(stack);
  const count = (type: string) => registered.filter((r) => r.type === type).length;
  expect(count("homelab:hosts:Vm")).toBe(vmNames(stackOf(estate, stack)).length);
  expect(count("homelab:clusters:K3sCluster")).toBe(1);
  expect(count("homelab:platform:CertManager")).toBe(1);
  expect(count("homelab:platform:ExternalSecrets")).toBe(1);
  expect(count("homelab:platform:ExternalDns")).toBe(1);
  expect(count("homelab:platform:Vault")).toBe(stack === "tools" ? 1 : 0);
  expect(only(registered, "vault:kv/secretV2:SecretV2", `cluster-access-kubeconfig-clusters-${stack}-kubeconfig`).inputs["name"]).toBe(
    `clusters/${stack}/kubeconfig`,
  );
});

/** Names that Services ask for, wherever their annotation stands: in a chart's values, or in a resource of an operator. */
function namesOfServices(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => (key === "external-dns.alpha.kubernetes.io/hostname" ? [String(item)] : namesOfServices(item)));
}

test.each(STACK_NAMES)("external-dns of %s may write the names of its routes, and no other stack's", async (stack) => {
  const { registered } = await runStack(stack);
  const routes = registered
    .filter(({ type }) => type === "kubernetes:networking.k8s.io/v1:Ingress")
    .flatMap(({ inputs }) => (inputs["spec"] as { rules: { host: string }[] }).rules.map(({ host }) => host));
  const ofIstio = registered
    .filter(({ type }) => type === "kubernetes:networking.istio.io/v1:VirtualService")
    .flatMap(({ inputs }) => (inputs["spec"] as { hosts: string[] }).hosts);
  const hosts = [...routes, ...ofIstio, ...registered.flatMap(({ inputs }) => namesOfServices(inputs))];
  expect(plans.get(stack)?.hostNames).toEqual(hosts.toSorted());
  const { values } = only(registered, "kubernetes:helm.sh/v3:Release", "external-dns-release").inputs as { values: { extraArgs: string[] } };
  const pattern = new RegExp(values.extraArgs.find((arg) => arg.startsWith("--regex-domain-filter="))?.slice("--regex-domain-filter=".length) ?? "");
  const all = [...plans.values()].flatMap(({ hostNames }) => hostNames);
  expect(new Set(all).size).toBe(all.length);
  expect(all.filter((name) => pattern.test(name))).toEqual(hosts.toSorted());
});

test("Vault's name is a fixed one of the name server, which its own API could not change where the environment set it", async () => {
  const { registered } = await runStack("tools");
  const script = String(only(registered, "command:remote:Command", "dns-dns-run").inputs["create"]);
  expect(script).toContain("192.168.1.15 vault.fullstack.pw");
  expect(script).not.toContain("FTLCONF_dns_hosts");
});

test.each(STACK_NAMES)("what hosts check looks at on %s is what its program runs", async (stack) => {
  const { registered, outputs } = await runStack(stack);
  const planned = plans.get(stack)?.roles;
  const digests = [...(planned?.values() ?? [])].flat().map(({ role }) => compileRole(role).digest);
  const runs = registered.filter((r) => r.type === "command:remote:Command" && Array.isArray(r.inputs["triggers"]) && r.name.endsWith("-run"));
  expect(runs.map((r) => (r.inputs["triggers"] as string[])[0]).toSorted()).toEqual(digests.toSorted());
  expect(Object.keys(outputs["hosts"] as object)).toEqual(vmNames(stackOf(estate, stack)));
});

/** What a resource depends on, by name. */
const waitsFor = ({ dependencies }: Registered): string[] => dependencies.map((urn) => urn.split("::").at(-1) ?? "");

test.each(STACK_NAMES)("each role of %s runs on a host that has started, also after a restart", async (stack) => {
  const { registered } = await runStack(stack);
  const runs = registered.filter(({ type, name }) => type === "command:remote:Command" && name.endsWith("-run"));
  expect(runs).not.toEqual([]);
  for (const run of runs) {
    const hosts = waitsFor(run).flatMap((name) => /^(.+)-first-boot$/.exec(name)?.[1] ?? []);
    expect([run.name, hosts.length > 0, waitsFor(run)]).toEqual([run.name, true, expect.arrayContaining(hosts.map((host) => `${host}-ready`))]);
  }
});

test("the hosts of tools have their roles, each run with its secrets on standard input, and downloads wait for the name server", async () => {
  const { registered } = await runStack("tools");
  const runs = registered.filter((r) => r.type === "command:remote:Command" && r.name.endsWith("-run"));
  expect(runs.map(({ name }) => name).toSorted()).toEqual(["dns-dns-run", "haproxy-haproxy-run", "tools-k3s-run"]);
  expect(waitsFor(only(registered, "command:remote:Command", "tools-k3s-run"))).toContain("dns-dns-run");
  const proxy = only(registered, "command:remote:Command", "haproxy-haproxy-run").inputs;
  expect(Buffer.from(String(plain(proxy["stdin"])), "base64").toString()).toBe("lab-only-haproxy-stats");
  for (const line of ["bind *:6447", "server k8s-prod 192.168.1.14:6443 check"]) expect(String(proxy["create"])).toContain(line);
  expect(String(only(registered, "command:remote:Command", "tools-k3s-run").inputs["create"])).toContain('- "192.168.1.4"');
});

test("a host that asks the stack's own name server runs its roles after that; one that asks another one does not wait", async () => {
  const asking = changedRuns((given) => {
    const [haproxy, dns] = ["haproxy", "dns"].map((name) => given.vms.get(name));
    if (haproxy === undefined || dns === undefined) throw new Error("the tests' homelab has no such VMs");
    const { cloudInit } = haproxy;
    const changed = { ...haproxy, cloudInit: { ...cloudInit, nameservers: [dns.cloudInit.ipv4.address] } };
    return { ...given, vms: new Map([...given.vms, ["haproxy", changed]]) };
  });
  const after = ({ registered }: { registered: Registered[] }) => waitsFor(only(registered, "command:remote:Command", "haproxy-haproxy-run"));
  expect(after(await asking.run("tools"))).toContain("dns-dns-run");
  expect(after(await runStack("tools"))).not.toContain("dns-dns-run");
});

test("tools takes storages and bridges as it finds them, unless site/nodes.ts defines one", async () => {
  const { registered } = await runStack("tools");
  const images = registered.filter(({ type }) => type === "proxmoxve:download/fileLegacy:FileLegacy");
  expect(images.map(({ inputs }) => inputs["datastoreId"])).toEqual(["local", "local", "local"]);
  expect(registered.filter(({ type }) => /^proxmoxve:(storage|network)/.test(type))).toEqual([]);
});

test("home's disk is the one passed through, by the name that it has in the VM, and comes before k3s", async () => {
  const { registered } = await runStack("home");
  const script = String(only(registered, "command:remote:Command", "home-k3s-run").inputs["create"]);
  expect(script.indexOf("mount /mnt/home")).toBeGreaterThan(0);
  expect(script.indexOf("mount /mnt/home")).toBeLessThan(script.indexOf("download /usr/local/bin/k3s"));
  expect(script).toContain("/dev/disk/by-id/scsi-0QEMU_QEMU_HARDDISK_drive-scsi1");
});

describe("a preview of stacks that are not built", () => {
  let folder: string;
  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-preview-"));
    process.env["HOMELAB_PLANNED_OUTPUTS_DIR"] = folder;
  });
  afterEach(() => {
    delete process.env["HOMELAB_PLANNED_OUTPUTS_DIR"];
    fs.rmSync(folder, { recursive: true });
  });

  /** Planned outputs of a stack of which nothing is known yet. */
  const plan = (stack: string) => {
    const outputs = Object.fromEntries(
      Object.keys(outputSchemas(stackOf(estate, stack))).map((name) => [name, { known: false, secret: name === "vaultTokens" }]),
    );
    fs.writeFileSync(path.join(folder, `${stack}.json`), JSON.stringify({ version: 1, stack, outputs, usedUnknowns: [] }));
  };

  test("goes on with unknown outputs, and names them", async () => {
    plan("tools");
    plan("observability");
    plan("stg");
    const registered = await mockEngine({ stack: "prod", preview: true });
    const images = Object.fromEntries(Object.keys(stackOf(estate, "prod").apps).map((name) => [name, `registry.fullstack.pw/library/${name}:1.0.0`]));
    pulumi.runtime.setAllConfig({ "homelab:acmeEmail": "a@b.pw", "homelab:images": JSON.stringify(images) });
    await main(loadHomelab);
    await settle(registered);
    const planned = JSON.parse(fs.readFileSync(path.join(folder, "prod.json"), "utf8"));
    expect(planned.usedUnknowns).toEqual(["tools.templateIds", "tools.vaultAddress", "tools.vaultId", "tools.vaultTokens"]);
    expect(only(registered, "proxmoxve:index/vmLegacy:VmLegacy").inputs["name"]).toBe("k8s-prod");
  });

  test("gives its own outputs on, secrets marked as such, in a file for its owner only", async () => {
    const registered = await mockEngine({ stack: "tools", preview: true });
    pulumi.runtime.setAllConfig({ "homelab:acmeEmail": "a@b.pw" });
    await main(loadHomelab);
    await settle(registered);
    const file = path.join(folder, "tools.json");
    expect(fs.statSync(file).mode & 0o777).toBe(0o600);
    const { outputs, usedUnknowns } = JSON.parse(fs.readFileSync(file, "utf8"));
    expect(usedUnknowns).toEqual([]);
    expect(Object.keys(outputs)).toEqual([
      "kubeconfig",
      "clusterEndpoint",
      "vms",
      "hosts",
      "inventory",
      "sshConfig",
      "urls",
      "images",
      "templateIds",
      "vaultAddress",
      "vaultId",
      "vaultTokens",
    ]);
    expect(outputs.templateIds).toEqual({ known: true, secret: false, value: { node01: 9001, node02: 9002, node03: 9003 } });
    expect([outputs.kubeconfig.secret, outputs.vaultTokens, outputs.urls.secret]).toEqual([
      true,
      { known: true, secret: true, value: Object.fromEntries(STACK_NAMES.map((name) => [name, `hvs.homelab-stack-${name}`])) },
      false,
    ]);
  });
});

test.each([
  ["an unknown stack", "pord", {}, 'E_STACK_UNKNOWN: there is no stack "pord"\n  next: did you mean "prod"?'],
  [
    "an unknown setting",
    "dev",
    { "homelab:acmeMail": "x" },
    'E_CONFIG_KEY: Pulumi.dev.yaml: unknown key "homelab:acmeMail"\n  next: did you mean "homelab:acmeEmail"?',
  ],
  [
    "an application without an image",
    "dev",
    { "homelab:acmeEmail": "a@b.pw", "homelab:k3sDisable": '["traefik"]' },
    "E_CONFIG_VALUE: Pulumi.dev.yaml: homelab:images has none for enqueuer\n  next: name the image that enqueuer runs in dev, or move one there with homelab promote",
  ],
  [
    "a release of a VM of another stack",
    "prod",
    { "homelab:acmeEmail": "a@b.pw", "homelab:replaceVms": '["k8s-stg"]' },
    'E_VM_UNKNOWN: Pulumi.prod.yaml: homelab:replaceVms names "k8s-stg", which is no VM of this stack\n  next: did you mean "k8s-prod"?',
  ],
])("%s ends the program with one message", async (_, stack, config, message) => {
  await mockEngine({ stack, references });
  pulumi.runtime.setAllConfig(config);
  const thrown: unknown = await main(loadHomelab).catch((error: unknown) => error);
  expect(pulumi.RunError.isInstance(thrown)).toBe(true);
  expect((thrown as Error).message).toBe(message);
});
