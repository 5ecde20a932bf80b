import { base, combineRoles, compileRole, k3sServer, parseRoleReport, type Role } from "../../ansible-replacements";
import { renameKubeconfig } from "../../components/clusters/kubeconfig";
import { type Artefacts, startArtefacts } from "../../lab/artefacts";
import { createContext } from "../../lab/core/context";
import { newSshKey } from "../../lab/core/ssh-keys";
import { type Host, startHost } from "../../lab/hosts";
import { K3S_KUBECONFIG } from "../support/pulumi-mocks";

type Context = Awaited<ReturnType<typeof createContext>>;
const keys = newSshKey();
const spec = {
  id: "112",
  hostname: "k8s-dev",
  address: "192.168.1.12",
  prefix: 24,
  gateway: "192.168.1.1",
  nameserver: "192.168.1.3",
  user: "suporte",
  authorizedKeys: [keys.public],
  cores: 4,
  memoryMiB: 4096,
  diskGiB: 30,
};
const node = (): Role => combineRoles("k3s-node", base, k3sServer({ address: spec.address, localStoragePath: "/mnt/storage" }));

let ctx: Context;
let artefacts: Artefacts;
let host: Host;
let starts: number;

beforeEach(async () => {
  ctx = await createContext();
  artefacts = await startArtefacts(ctx);
  starts = 0;
  host = await startHost({
    spec,
    ctx,
    startCluster: async () => {
      starts++;
      return { adminKubeconfig: () => K3S_KUBECONFIG, save: () => ({}), stop: async () => undefined };
    },
  });
});
afterEach(async () => {
  await host.stop();
  await artefacts.stop();
});

async function run(role: Role, check = false) {
  const compiled = compileRole(role);
  const { stdout, stderr, exitCode } = await host.run(check ? compiled.checkCommand : compiled.command);
  return { ...parseRoleReport(stdout.toString()), stderr: stderr.toString(), exitCode };
}

test("the k3s role brings a cluster up, and a second run changes nothing", async () => {
  const first = await run(node());
  expect([first.stderr, first.exitCode]).toEqual(["", 0]);
  expect(first.operations.map(({ operation, status }) => `${status} ${operation}`)).toEqual([
    "ok first boot finished",
    "ok packages curl ca-certificates qemu-guest-agent",
    "ok k3s is not newer than the pin",
    "ok a k3s of another installer loses no settings",
    "changed directory /mnt/storage",
    "changed directory /etc/rancher/k3s",
    "changed download /usr/local/bin/k3s",
    "ok no /etc/rancher/k3s/homelab.env",
    "changed file /etc/rancher/k3s/config.yaml",
    "changed file /etc/systemd/system/k3s.service",
    "changed service k3s",
    "ok kubernetes API ready",
  ]);
  const kubeconfig = await host.run("sudo -n cat /etc/rancher/k3s/k3s.yaml");
  expect(renameKubeconfig(kubeconfig.stdout.toString(), "dev", "https://192.168.1.12:6443")).toContain("current-context: dev");
  const second = await run(node());
  expect(second.summary).toEqual({ changed: 0, unchanged: 12 });
  expect(starts).toBe(1);
  expect(ctx.unhandled.all()).toEqual([]);
});

test("check mode on a new host says all that is to do and does nothing", async () => {
  const { operations, exitCode } = await run(node(), true);
  expect(exitCode).toBe(0);
  expect(operations.filter(({ status }) => status === "would-change")).toHaveLength(7);
  expect(starts).toBe(0);
  expect(ctx.unhandled.all()).toEqual([]);
});

test("another configuration restarts k3s once, and the API is there again", async () => {
  await run(node());
  const changed = combineRoles("k3s-node", base, k3sServer({ address: spec.address, localStoragePath: "/mnt/storage", disable: ["traefik"] }));
  const { operations, exitCode } = await run(changed);
  expect(exitCode).toBe(0);
  expect(operations.filter(({ status }) => status === "changed").map(({ operation }) => operation)).toEqual([
    "file /etc/rancher/k3s/config.yaml",
    "service k3s",
  ]);
  expect(starts).toBe(2);
});

const operations = node().operations.map(({ name }, index) => ({ name, index }));

test.each(operations)("a run that was cut at $name is made good by the next one", async ({ index }) => {
  const role = node();
  const cut: Role = {
    ...role,
    operations: role.operations.map((operation, i) => (i === index ? { ...operation, check: ["false"], apply: ["(exit 9)"] } : operation)),
  };
  const first = await run(cut);
  expect(first.operations.at(-1)).toMatchObject({ status: "failed", phase: "apply", exitCode: 9 });
  expect(first.operations).toHaveLength(index + 1);
  expect((await run(node())).exitCode).toBe(0);
  expect((await run(node())).summary).toEqual({ changed: 0, unchanged: 12 });
  expect(ctx.unhandled.all()).toEqual([]);
});

test("a binary with other bytes than published is refused and not kept", async () => {
  const release = { version: "v1.36.2+k3s1", sha256: "0".repeat(64) };
  const { operations: done, exitCode } = await run(k3sServer({ address: spec.address, release }));
  expect(exitCode).toBe(1);
  expect(done.at(-1)).toMatchObject({
    operation: "download /usr/local/bin/k3s",
    status: "failed",
    phase: "apply",
    stderr: expect.stringContaining(`expected ${"0".repeat(64)}`),
  });
  expect((await host.run("ls /usr/local/bin")).stdout.toString()).not.toContain("k3s");
});
