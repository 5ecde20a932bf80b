/** Arguments that a role refuses before it contacts a host. The error has a code and names the wrong value. */
import { bootServer, clusterApi, haproxy, k3sServer, kubeadmCluster, kubeadmJoin, kubeadmNode, pihole, teleport, usbStorage } from ".";
import { packages, pinnedPackages } from "./operations/packages";
import { aptRepository } from "./operations/repositories";
import { authorizedKey, user } from "./operations/users";

const SHA = "a".repeat(64);
const release = { version: "v1.0.0", sha256: SHA };

const kubeadm = (ranges: { podCidr?: string; serviceCidr?: string; lan?: string }) => () =>
  kubeadmCluster({
    name: "n",
    address: "192.168.1.21",
    endpoint: "192.168.1.21:6443",
    clusterName: "c",
    podCidr: "10.244.0.0/16",
    lan: "192.168.1.0/24",
    cilium: { cli: release },
    ...ranges,
  });

const cluster = { name: "dev", frontendPort: 6443, backendPort: 6443, nodes: [{ name: "k8s-dev", address: "192.168.1.12" }] };

const answer = {
  fqdn: "n.pw",
  country: "pt",
  timeZone: "Europe/Lisbon",
  keyboard: "pt",
  mailto: "a@b.pw",
  sshKeys: ["ssh-ed25519 A"],
  diskFilter: { ID_SERIAL: "1" },
};
const boot = (more: object) => () =>
  bootServer({
    address: "192.168.1.10",
    network: "192.168.1.0/24",
    iso: release,
    assistant: { codename: "bookworm", version: "8.4.6", keyFingerprint: "1".repeat(40) },
    answer,
    ...more,
  });

const capi = (providers: object) => () =>
  clusterApi({
    clusterctl: release,
    providers: {
      core: "cluster-api:v1.9.5",
      bootstrap: "talos:v0.6.7",
      controlPlane: "talos:v0.5.8",
      infrastructure: "proxmox:v0.7.0",
      ipam: "in-cluster:v1.0.0",
      ...providers,
    },
  });

const port = (more: object) => () =>
  teleport({
    domain: "t.pw",
    clusterName: "t",
    acmeEmail: "a@b.pw",
    postgres: { host: "p", user: "u", database: "d", auditDatabase: "a" },
    sessions: { bucket: "b", endpoint: "e", region: "r" },
    roles: [],
    ...more,
  });

const REFUSED: [string, () => unknown, string][] = [
  [
    "a range of pods that contains the network of the hosts",
    kubeadm({ podCidr: "192.168.0.0/16" }),
    "the network of the hosts 192.168.1.0/24 overlaps the range of the pods 192.168.0.0/16",
  ],
  [
    "services inside the pods' range",
    kubeadm({ serviceCidr: "10.244.128.0/20" }),
    "the range of the pods 10.244.0.0/16 overlaps the range of the services 10.244.128.0/20",
  ],
  [
    "one address in common",
    kubeadm({ podCidr: "192.168.1.255/32" }),
    "the network of the hosts 192.168.1.0/24 overlaps the range of the pods 192.168.1.255/32",
  ],
  ["a range with bits after its prefix", kubeadm({ podCidr: "10.244.1.0/16" }), 'the range of the pods: "10.244.1.0/16" has bits after its prefix'],
  ["a range without a prefix", kubeadm({ podCidr: "10.244.0.0" }), 'the range of the pods: "10.244.0.0" is no IPv4 range'],
  ["a prefix that is too long", kubeadm({ serviceCidr: "10.96.0.0/33" }), 'the range of the services: "10.96.0.0/33" is no IPv4 range'],
  [
    "an endpoint without a port",
    () => kubeadmJoin({ name: "n", address: "192.168.1.22", endpoint: "192.168.1.21", kind: "worker" }),
    'node n: "192.168.1.21" is no endpoint',
  ],
  ["a version of Kubernetes with a leading v", () => kubeadmNode({ version: "v1.33.0" }), 'Kubernetes "v1.33.0" is no version'],
  ["two clusters on one port", () => haproxy({ clusters: [cluster, { ...cluster, name: "stg" }] }), "haproxy: port 6443 is asked for by stg and by dev"],
  [
    "a cluster on the statistics' port",
    () => haproxy({ clusters: [{ ...cluster, frontendPort: 8404 }] }),
    "haproxy: port 8404 is asked for by dev and by the statistics",
  ],
  ["a port over 65535", () => haproxy({ clusters: [{ ...cluster, backendPort: 70000 }] }), "haproxy: cluster dev has an invalid port"],
  ["two clusters of one name", () => haproxy({ clusters: [cluster, { ...cluster, frontendPort: 1 }] }), "haproxy: two clusters are named dev"],
  ["a cluster without nodes", () => haproxy({ clusters: [{ ...cluster, nodes: [] }] }), "haproxy: cluster dev has no nodes"],
  [
    "a name that would add a line to the configuration",
    () => haproxy({ clusters: [{ ...cluster, name: "dev\n  bind *:1" }] }),
    'haproxy: "dev\n  bind *:1" is no valid name or address',
  ],
  ["a user's name that would add a word to the configuration", () => haproxy({ clusters: [], stats: { user: "a b" } }), 'haproxy: "a b" is no user\'s name'],
  ["Pi-hole without an upstream resolver", () => pihole({ upstreams: [] }), "pihole: it needs at least one upstream resolver"],
  ["Pi-hole with a resolver by name", () => pihole({ upstreams: ["dns.google"] }), 'pihole: upstream resolver "dns.google" is no IPv4 address'],
  [
    "Pi-hole's newest image",
    () => pihole({ upstreams: ["1.1.1.1"], image: "docker.io/pihole/pihole:latest" }),
    'pihole: image "docker.io/pihole/pihole:latest" is not pinned',
  ],
  ["Pi-hole's image without a tag", () => pihole({ upstreams: ["1.1.1.1"], image: "pihole/pihole" }), 'pihole: image "pihole/pihole" is not pinned'],
  [
    "a host of Pi-hole without an address",
    () => pihole({ upstreams: ["1.1.1.1"], hosts: { "vault.pw": "tools" } }),
    'pihole: "vault.pw" at "tools" is not a host name with an IPv4 address',
  ],
  ["a time zone with a second line", () => pihole({ upstreams: ["1.1.1.1"], timeZone: "Etc/UTC\nX=1" }), 'pihole: "Etc/UTC\nX=1" is no time zone'],
  ["an installer that may erase any disk", boot({ answer: { ...answer, diskFilter: {} } }), "boot-server: the answer file needs a filter for the disk"],
  [
    "an installed host that nobody could enter",
    boot({ answer: { ...answer, sshKeys: [] } }),
    "boot-server: nobody could log in to the installed host: no SSH keys",
  ],
  ["a network without a prefix", boot({ network: "192.168.1.0" }), 'boot-server: "192.168.1.10" in "192.168.1.0" is no address in a network'],
  [
    "a source's key by a short fingerprint",
    boot({ assistant: { codename: "b", version: "1", keyFingerprint: "ABCD1234" } }),
    "package source proxmox: its key needs an https address and a fingerprint of 40 capital hexadecimal digits",
  ],
  ["a provider without a version", capi({ core: "cluster-api" }), 'cluster-api: core provider "cluster-api" has no exact version'],
  ["a provider's newest version", capi({ ipam: "in-cluster:latest" }), 'cluster-api: ipam provider "in-cluster:latest" has no exact version'],
  ["a version of Teleport with a leading v", port({ version: "v17.7.1" }), 'Teleport "v17.7.1" is no version'],
  ["a domain that would be a path", port({ domain: "../etc" }), 'teleport: "../etc" is no domain name'],
  ["a role of Teleport with a space", port({ roles: [{ name: "db access", spec: {} }] }), 'teleport: "db access" is no name of a role'],
  ["a device whose name follows the order of discovery", () => usbStorage({ device: "/dev/sdb", path: "/mnt/home" }), "storage /dev/sdb: not a stable name"],
  ["a part that k3s does not have", () => k3sServer({ address: "192.168.1.12", disable: ["traefk"] }), 'k3s has no part "traefk" to disable'],
  [
    "a proxy of k3s with a password",
    () => k3sServer({ address: "192.168.1.12", proxy: { https: "http://me:pw@proxy:3128" } }),
    "the https proxy of k3s has a user or a password in its URL",
  ],
  ["a proxy of k3s that is no URL", () => k3sServer({ address: "192.168.1.12", proxy: { http: "proxy" } }), 'the proxy "proxy" of k3s is no URL'],
  ["a proxy of k3s without a URL", () => k3sServer({ address: "192.168.1.12", proxy: { no: ["a"] } }), "the proxy of k3s has neither http nor https"],
  ["an exception of two lines", () => k3sServer({ address: "192.168.1.12", proxy: { http: "http://p:1", no: ["a\nX=1"] } }), "is no host, domain or CIDR"],
  ["a package that would be an option", () => packages("--allow-unauthenticated"), '"--allow-unauthenticated" is no name of a Debian package'],
  ["a version that would be shell", () => pinnedPackages({ kubeadm: "$(id)" }), 'package kubeadm: "$(id)" is no version'],
  [
    "a source by http",
    () => aptRepository({ name: "s", uri: "u", suite: "/", key: { url: "http://s", fingerprint: "1".repeat(40) } }),
    "package source s: its key needs an https address",
  ],
  ["a user that would be shell", () => user({ name: "a;b" }), '"a;b" is no name of a user or group'],
  ["two keys in one", () => authorizedKey("suporte", "ssh-ed25519 AAAA\nssh-ed25519 BBBB"), "user suporte: not one public key of OpenSSH"],
];

test.each(REFUSED)("%s is refused", (_what, make, message) => {
  let thrown: unknown;
  try {
    make();
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toMatchObject({ code: "E_ROLE_ARGS", message: expect.stringContaining(message) });
});

test("ranges that touch and do not overlap are taken", () => {
  expect(kubeadm({ podCidr: "192.168.0.0/24", serviceCidr: "192.168.2.0/24" })).not.toThrow();
});

test("control planes get the certificates' key, workers do not", () => {
  const secrets = (kind: "control-plane" | "worker") => kubeadmJoin({ name: "n", address: "192.168.1.22", endpoint: "192.168.1.21:6443", kind }).secrets;
  expect(secrets("worker")).toEqual(["KUBEADM_TOKEN", "KUBEADM_CA_HASH"]);
  expect(secrets("control-plane")).toEqual(["KUBEADM_TOKEN", "KUBEADM_CA_HASH", "KUBEADM_CERTIFICATE_KEY"]);
});
