/** From the settings of a stack to the roles of its hosts. */
import { compileRole } from "../ansible-replacements";
import { parseStackConfigFile } from "./config";
import { STACKS } from "./definitions";
import { groupsOf, planRoles } from "./host-roles";
import { loadInventory } from "./inventory";
import type { StackName } from "./outputs";

const { vms } = loadInventory();
const SHA = "a".repeat(64);

const configOf = (settings: object) => parseStackConfigFile("f", JSON.stringify({ config: { "homelab:acmeEmail": "a@b.pw", ...settings } }));

function plan(stack: StackName, settings: object = {}, changed = vms, more: readonly string[] = []) {
  const owned = [...(STACKS.find(({ name }) => name === stack)?.vms ?? []), ...more];
  return planRoles({ stack, config: configOf(settings), owned, vms: changed });
}

test("without settings only the cluster's host has a role", () => {
  expect(Object.fromEntries([...plan("tools")].map(([vm, roles]) => [vm, roles.map(({ role }) => role.name)]))).toEqual({
    dns: [],
    haproxy: [],
    teleport: [],
    "boot-server": [],
    "k8s-tools": ["k3s-node"],
  });
});

test("Teleport is reached from the settings, its secrets by where they lie", () => {
  const teleport = {
    clusterName: "fullstack-pw",
    postgres: { host: "p.pw", user: "t", database: "t", auditDatabase: "ta" },
    sessions: { bucket: "teleport", endpoint: "s3.pw", region: "main" },
    roles: [{ name: "db-access", spec: { allow: { db_names: ["*"] } } }],
  };
  const [planned] = plan("tools", { "homelab:teleport": teleport }).get("teleport") ?? [];
  expect(planned?.secrets).toEqual({
    CLOUDFLARE_API_TOKEN: { path: "cloudflare", key: "api-token" },
    TELEPORT_POSTGRES_PASSWORD: { path: "cluster-secret-store/secrets/POSTGRES", key: "POSTGRES_PASSWORD" },
    AWS_ACCESS_KEY_ID: { path: "cluster-secret-store/secrets/AWS_ACCESS_KEY_ID", key: "AWS_ACCESS_KEY_ID" },
    AWS_SECRET_ACCESS_KEY: { path: "cluster-secret-store/secrets/AWS_SECRET_ACCESS_KEY", key: "AWS_SECRET_ACCESS_KEY" },
  });
  expect(planned?.role.operations.map(({ name }) => name)).toContain("certificate of teleport.fullstack.pw");
});

const bootServer = {
  iso: { version: "8.4-1", sha256: SHA },
  assistant: { codename: "bookworm", version: "8.4.6", keyFingerprint: "1".repeat(40) },
  answer: { fqdn: "node04.fullstack.pw", country: "pt", timeZone: "Europe/Lisbon", keyboard: "pt", mailto: "a@b.pw", diskFilter: { ID_SERIAL: "1" } },
};

test("the boot server's role needs its VM to run", () => {
  expect(() => plan("tools", { "homelab:bootServer": bootServer })).toThrow(
    expect.objectContaining({ code: "E_HOST_OFF", message: "Pulumi.tools.yaml: homelab:bootServer is set, and the VM boot-server is off" }),
  );
  const on = new Map([...vms].map(([name, spec]) => [name, { ...spec, running: true }]));
  const [planned] = plan("tools", { "homelab:bootServer": bootServer }, on).get("boot-server") ?? [];
  expect(planned?.secrets).toEqual({ PVE_ROOT_PASSWORD_HASH: { path: "cluster-secret-store/secrets/PVE_ROOT_PASSWORD_HASH", key: "PVE_ROOT_PASSWORD_HASH" } });
  expect(compileRole(planned?.role ?? { name: "none", operations: [] }).script).toContain("http://192.168.1.10/answer.toml");
});

test("Cluster API is a role of its own after the cluster's", () => {
  const clusterApi = {
    clusterctl: { version: "v1.9.5", sha256: SHA },
    providers: {
      core: "cluster-api:v1.9.5",
      bootstrap: "talos:v0.6.7",
      controlPlane: "talos:v0.5.8",
      infrastructure: "proxmox:v0.7.0",
      ipam: "in-cluster:v1.0.0",
    },
  };
  const planned = plan("sandboxy", { "homelab:clusterApi": clusterApi, "homelab:longhorn": { v2Engine: true } }).get("k8s-sandbox-01") ?? [];
  expect(planned.map(({ role }) => role.name)).toEqual(["k3s-node", "cluster-api"]);
  expect(planned[1]?.secrets["PROXMOX_URL"]).toEqual({ value: "https://192.168.1.248:8006" });
  expect(planned[0]?.role.operations.map(({ name }) => name)).toContain("kernel modules iscsi_tcp nvme_tcp uio_pci_generic");
});

describe("a cluster of kubeadm", () => {
  const kubeadm = { podCidr: "10.244.0.0/16", cilium: { cli: { version: "v0.18.3", sha256: SHA } } };
  const nodes = { dns: "control-plane", teleport: "worker" };
  const ofKubeadm = (entry: string) => ({ path: "cluster-secret-store/secrets/KUBEADM", key: entry });

  test("takes the place of k3s, after the same preparations of its host, and has the load balancer's address in its certificate", () => {
    const settings = { "homelab:kubeadm": { ...kubeadm, version: "1.32.4", serviceCidr: "10.100.0.0/16" }, "homelab:usbStorage": { path: "/mnt/home" } };
    const planned = plan("home", { ...settings, "homelab:longhorn": {} }).get("k8s-home") ?? [];
    expect(planned.map(({ role, secrets }) => [role.name, secrets])).toEqual([
      ["kubeadm-first", { KUBEADM_TOKEN: ofKubeadm("KUBEADM_TOKEN"), KUBEADM_CERTIFICATE_KEY: ofKubeadm("KUBEADM_CERTIFICATE_KEY") }],
    ]);
    const { script } = compileRole(planned[0]?.role ?? { name: "none", operations: [] });
    const names = planned.flatMap(({ role }) => role.operations.map(({ name }) => name));
    const order = ["first boot finished", "fstab of /mnt/home", "service iscsid", "service containerd", "cluster initialised", "Cilium is ready"];
    expect(names.filter((name) => order.includes(name))).toEqual(order);
    for (const text of ["v1.32.4", 'certSANs:\n    - "192.168.1.4"', 'clusterName: "home"', 'controlPlaneEndpoint: "192.168.1.16:6443"', "taints: []"])
      expect(script).toContain(text);
    expect(script).not.toContain("k3s");
  });

  test("its further nodes join the first one, each with the secrets that it needs", () => {
    const planned = plan("sandboxy", { "homelab:kubeadm": { ...kubeadm, nodes } }, vms, ["dns", "teleport"]);
    expect([...planned].map(([vm, roles]) => [vm, ...roles.map(({ role }) => role.name)])).toEqual([
      ["k8s-sandbox-01", "kubeadm-first"],
      ["dns", "kubeadm-node"],
      ["teleport", "kubeadm-node"],
    ]);
    const worker = { KUBEADM_TOKEN: ofKubeadm("KUBEADM_TOKEN"), KUBEADM_CA_HASH: "cluster's CA hash" };
    expect(planned.get("teleport")?.[0]?.secrets).toEqual(worker);
    expect(planned.get("dns")?.[0]?.secrets).toEqual({ ...worker, KUBEADM_CERTIFICATE_KEY: ofKubeadm("KUBEADM_CERTIFICATE_KEY") });
    const join = planned.get("dns")?.[0]?.role.operations.find(({ name }) => name === "joined as control-plane");
    expect(join?.apply.join("\n")).toContain('apiServerEndpoint: "192.168.1.21:6443"');
    // The first node's own script does not change with them: it lets them in when they come.
    const alone = plan("sandboxy", { "homelab:kubeadm": kubeadm }, vms, ["dns", "teleport"]);
    expect(planned.get("k8s-sandbox-01")).toEqual(alone.get("k8s-sandbox-01"));
    const { KUBEADM_CA_HASH: _, ...credentials } = planned.get("dns")?.[0]?.secrets ?? {};
    for (const vm of ["dns", "teleport"])
      expect(planned.get(vm)?.[0]?.admission).toMatchObject({ vm: "k8s-sandbox-01", role: { name: "kubeadm-admission" }, secrets: credentials });
  });

  test("Cluster API finds its kubeconfig", () => {
    const providers = { core: "a:v1.0.0", bootstrap: "b:v1.0.0", controlPlane: "c:v1.0.0", infrastructure: "d:v1.0.0", ipam: "e:v1.0.0" };
    const clusterApi = { clusterctl: { version: "v1.9.5", sha256: SHA }, providers };
    const [, capi] = plan("sandboxy", { "homelab:kubeadm": kubeadm, "homelab:clusterApi": clusterApi }).get("k8s-sandbox-01") ?? [];
    expect(compileRole(capi?.role ?? { name: "none", operations: [] }).script).toContain("KUBECONFIG=/etc/kubernetes/admin.conf");
  });

  test("its hosts are in a group of their own", () => {
    const config = configOf({ "homelab:kubeadm": { ...kubeadm, nodes } });
    expect(["k8s-sandbox-01", "dns", "haproxy"].map((name) => groupsOf("sandboxy", name, config)[0])).toEqual(["kubeadm", "kubeadm", "haproxy"]);
    expect(groupsOf("sandboxy", "k8s-sandbox-01", configOf({}))[0]).toBe("k3s");
  });

  test.each([
    [
      "a stack that builds on what k3s brings",
      "dev",
      {},
      {},
      "homelab:kubeadm: the stack needs a route of Traefik for its application: k3s brings that, and kubeadm does not",
    ],
    ["the store of all stacks", "tools", {}, {}, "the stack needs volumes of local-path and routes of Traefik for Vault and MinIO"],
    [
      "settings of k3s",
      "sandboxy",
      {},
      { "homelab:k3s": { proxy: { https: "http://p:1" } }, "homelab:k3sDisable": ["traefik"], "homelab:localStoragePath": "/mnt/s" },
      "homelab:kubeadm excludes homelab:k3s and homelab:k3sDisable and homelab:localStoragePath, which are about k3s",
    ],
    ["a node of another stack", "sandboxy", { nodes: { haproxy: "worker" } }, {}, "homelab:kubeadm: nodes names haproxy, which is no VM of this stack"],
    ["the first node once more", "sandboxy", { nodes: { "k8s-sandbox-01": "worker" } }, {}, "which is the cluster's first node anyway"],
    ["a node that is off", "sandboxy", { nodes: { "boot-server": "worker" } }, {}, "homelab:kubeadm: nodes names boot-server, and that VM is off"],
    ["pods in the network of the hosts", "sandboxy", { podCidr: "192.168.0.0/16" }, {}, "overlaps"],
    ["a version that is none", "sandboxy", { version: "newest" }, {}, 'Kubernetes "newest" is no version'],
  ] as const)("%s is refused", (_what, stack, ofSetting, settings, message) => {
    const all = { "homelab:kubeadm": { ...kubeadm, ...ofSetting }, ...settings };
    expect(() => plan(stack, all, vms, ["boot-server"])).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/^E_(CONFIG_VALUE|HOST_OFF|ROLE_ARGS)$/), message: expect.stringContaining(message) }),
    );
  });

  test.each([
    ["an unknown key", { ...kubeadm, podcidr: "x" }],
    ["a kind of node that is none", { ...kubeadm, nodes: { dns: "master" } }],
    ["Cilium's tool without its digest", { ...kubeadm, cilium: { cli: { version: "v0.18.3" } } }],
  ])("%s is refused by name", (_what, setting) => {
    expect(() => configOf({ "homelab:kubeadm": setting })).toThrow(
      expect.objectContaining({ code: "E_CONFIG_VALUE", message: expect.stringContaining("homelab:kubeadm") }),
    );
  });
});

test.each([
  [
    "a VM of another stack",
    "dev",
    { "homelab:dns": { upstreams: ["1.1.1.1"] } },
    "E_CONFIG_VALUE",
    "homelab:dns is about the VM dns, which is no VM of this stack",
  ],
  [
    "a disk that the VM does not have",
    "dev",
    { "homelab:usbStorage": { path: "/mnt/home" } },
    "E_CONFIG_VALUE",
    "homelab:usbStorage: the VM k8s-dev has no disk of its host",
  ],
  [
    "two stacks on one port",
    "tools",
    { "homelab:haproxy": { frontends: { dev: 6443, stg: 6443 } } },
    "E_ROLE_ARGS",
    "haproxy: port 6443 is asked for by stg and by dev",
  ],
] as const)("%s is refused", (_what, stack, settings, code, message) => {
  expect(() => plan(stack, settings)).toThrow(expect.objectContaining({ code, message: expect.stringContaining(message) }));
});
