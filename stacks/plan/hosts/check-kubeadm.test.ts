/** What is refused for a cluster of kubeadm. */
import { configOf, estate, rolesOf } from "../../../tests/support/planned-stack";

const kubeadm = { podCidr: "10.244.0.0/16", cilium: { cli: { version: "v0.18.3", sha256: "a".repeat(64) } } };

test.each([
  [
    "a stack that builds on what k3s brings",
    "stg",
    {},
    {},
    "homelab:kubeadm: the stack needs a route of Traefik for enqueuer and memorizer and writer and ascii-frontend and realstate-scrapper and cks-backend and cks-frontend: k3s brings that, and kubeadm does not",
  ],
  ["the store of all stacks", "tools", {}, {}, "the stack needs volumes of local-path and routes of Traefik for vault and minio"],
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
  expect(() => rolesOf(stack, all, estate.vms, { "boot-server": "host" })).toThrow(
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
