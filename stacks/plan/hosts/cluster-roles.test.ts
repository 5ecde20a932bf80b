/** From the settings of a stack to the roles of its cluster's hosts. */
import { compileRole } from "../../../ansible-replacements";
import { configOf, estate, rolesOf, stackWith } from "../../../tests/support/planned-stack";
import { groupsOf } from "./plan-roles";

const SHA = "a".repeat(64);

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
  const planned = rolesOf("sandboxy", { "homelab:clusterApi": clusterApi, "homelab:longhorn": { v2Engine: true } }).get("k8s-sandbox-01") ?? [];
  expect(planned.map(({ role }) => role.name)).toEqual(["k3s-node", "cluster-api"]);
  expect(planned[1]?.secrets["PROXMOX_URL"]).toEqual({ value: "https://192.168.1.248:8006" });
  expect(planned[0]?.role.operations.map(({ name }) => name)).toContain("kernel modules iscsi_tcp nvme_tcp uio_pci_generic");
});

test("a disk that the VM does not have is refused", () => {
  expect(() => rolesOf("dev", { "homelab:usbStorage": { path: "/mnt/home" } })).toThrow(
    expect.objectContaining({ code: "E_CONFIG_VALUE", message: expect.stringContaining("homelab:usbStorage: the VM k8s-dev has no disk of its host") }),
  );
});

describe("a cluster of kubeadm", () => {
  const kubeadm = { podCidr: "10.244.0.0/16", cilium: { cli: { version: "v0.18.3", sha256: SHA } } };
  const nodes = { dns: "control-plane", teleport: "worker" };
  const ofKubeadm = (entry: string) => ({ path: "cluster-secret-store/secrets/KUBEADM", key: entry });

  test("takes the place of k3s, after the same preparations of its host, and has the load balancer's address in its certificate", () => {
    const settings = { "homelab:kubeadm": { ...kubeadm, version: "1.32.4", serviceCidr: "10.100.0.0/16" }, "homelab:usbStorage": { path: "/mnt/home" } };
    const planned = rolesOf("home", { ...settings, "homelab:longhorn": {} }).get("k8s-home") ?? [];
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
    const planned = rolesOf("sandboxy", { "homelab:kubeadm": { ...kubeadm, nodes } }, estate.vms, { dns: "host", teleport: "host" });
    expect([...planned].map(([vm, roles]) => [vm, ...roles.map(({ role }) => role.name)])).toEqual([
      ["k8s-sandbox-01", "kubeadm-first"],
      ["dns", "kubeadm-node"],
      ["teleport", "kubeadm-node"],
    ]);
    const worker = { KUBEADM_TOKEN: ofKubeadm("KUBEADM_TOKEN"), KUBEADM_CA_HASH: { fact: "cluster-authority-hash" } };
    expect(planned.get("teleport")?.[0]?.secrets).toEqual(worker);
    expect(planned.get("dns")?.[0]?.secrets).toEqual({ ...worker, KUBEADM_CERTIFICATE_KEY: ofKubeadm("KUBEADM_CERTIFICATE_KEY") });
    const join = planned.get("dns")?.[0]?.role.operations.find(({ name }) => name === "joined as control-plane");
    expect(join?.apply.join("\n")).toContain('apiServerEndpoint: "192.168.1.21:6443"');
    // The first node's own script does not change with them: it lets them in when they come.
    const alone = rolesOf("sandboxy", { "homelab:kubeadm": kubeadm }, estate.vms, { dns: "host", teleport: "host" });
    expect(planned.get("k8s-sandbox-01")).toEqual(alone.get("k8s-sandbox-01"));
    const { KUBEADM_CA_HASH: _, ...credentials } = planned.get("dns")?.[0]?.secrets ?? {};
    for (const vm of ["dns", "teleport"])
      expect(planned.get(vm)?.[0]?.admission).toMatchObject({ vm: "k8s-sandbox-01", role: { name: "kubeadm-admission" }, secrets: credentials });
  });

  test("Cluster API finds its kubeconfig", () => {
    const providers = { core: "a:v1.0.0", bootstrap: "b:v1.0.0", controlPlane: "c:v1.0.0", infrastructure: "d:v1.0.0", ipam: "e:v1.0.0" };
    const clusterApi = { clusterctl: { version: "v1.9.5", sha256: SHA }, providers };
    const [, capi] = rolesOf("sandboxy", { "homelab:kubeadm": kubeadm, "homelab:clusterApi": clusterApi }).get("k8s-sandbox-01") ?? [];
    expect(compileRole(capi?.role ?? { name: "none", operations: [] }).script).toContain("KUBECONFIG=/etc/kubernetes/admin.conf");
  });

  test("its hosts are in a group of their own", () => {
    const config = configOf({ "homelab:kubeadm": { ...kubeadm, nodes } });
    expect(["k8s-sandbox-01", "dns", "haproxy"].map((name) => groupsOf(stackWith("sandboxy"), name, config)[0])).toEqual(["kubeadm", "kubeadm", "haproxy"]);
    expect(groupsOf(stackWith("sandboxy"), "k8s-sandbox-01", configOf({}))[0]).toBe("k3s");
  });
});
