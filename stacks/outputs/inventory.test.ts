import { renderIni, renderKnownHosts, renderSshConfig } from "./inventory";

const host = (address: string, groups: string[], more: object = {}) => ({
  address,
  user: "suporte",
  node: "node03",
  hostKey: "ssh-ed25519 AAAA",
  running: true,
  groups,
  ...more,
});
const HOSTS = {
  "k8s-stg": host("192.168.1.13", ["k3s", "stg"]),
  "boot-server": host("192.168.1.10", ["boot_server", "tools"], { running: false, hostKey: "" }),
  "k8s-dev": host("192.168.1.12", ["k3s", "dev"]),
};

test("INI: hosts by name, their groups, and how to become root; those that are off are left out", () => {
  expect(renderIni(HOSTS)).toBe(`k8s-dev ansible_host=192.168.1.12 ansible_user=suporte
k8s-stg ansible_host=192.168.1.13 ansible_user=suporte

[dev]
k8s-dev

[k3s]
k8s-dev
k8s-stg

[stg]
k8s-stg

[all:vars]
ansible_become=true
ansible_become_method=sudo
`);
});

test("SSH configuration, through a bastion where there is one", () => {
  expect(renderSshConfig({ "k8s-dev": HOSTS["k8s-dev"] })).toBe("Host k8s-dev\n  HostName 192.168.1.12\n  User suporte\n  HostKeyAlias k8s-dev\n");
  const bastion = { host: "127.0.0.1", port: 18022, user: "jump", keyFile: "/lab files/key", hostKey: "ssh-ed25519 BBBB" };
  expect(renderSshConfig({ "k8s-dev": HOSTS["k8s-dev"] }, { bastion, identityFile: "/lab files/100%", knownHostsFile: "/k" })).toBe(`Host k8s-dev
  HostName 192.168.1.12
  User suporte
  HostKeyAlias k8s-dev
  UserKnownHostsFile "/k"
  StrictHostKeyChecking yes
  IdentityFile "/lab files/100%%"
  IdentitiesOnly yes
  ProxyCommand ssh -F none -i '/lab files/key' -o IdentitiesOnly=yes -o 'UserKnownHostsFile="/k"' -o StrictHostKeyChecking=yes -p 18022 -W '[%h]:%p' jump@127.0.0.1
`);
  expect(renderKnownHosts({}, bastion)).toBe("[127.0.0.1]:18022 ssh-ed25519 BBBB\n");
});

test("known hosts by name and address", () => {
  expect(renderKnownHosts(HOSTS)).toBe("k8s-dev,192.168.1.12 ssh-ed25519 AAAA\nk8s-stg,192.168.1.13 ssh-ed25519 AAAA\n");
});
