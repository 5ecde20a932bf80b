/** What is the same in every environment of this homelab: addresses, names and the people who may log in. */

export interface Site {
  /** Base of all host names. */
  domain: string;
  /** Network of all VMs and hosts, as CIDR. */
  subnet: string;
  gateway: string;
  /** Pi-hole. */
  nameserver: string;
  proxmoxEndpoint: string;
  piholeUrl: string;
  vaultAddress: string;
  /** User that cloud-init makes on every VM; may use sudo without a password. */
  user: string;
  /** Public keys that may log in as `user`. */
  operatorKeys: readonly string[];
}

export const SITE: Site = {
  domain: "fullstack.pw",
  subnet: "192.168.1.0/24",
  gateway: "192.168.1.1",
  nameserver: "192.168.1.3",
  proxmoxEndpoint: "https://192.168.1.248:8006/",
  piholeUrl: "http://192.168.1.3",
  vaultAddress: "https://vault.fullstack.pw",
  user: "suporte",
  // Lab-only: the public half of SSH_PRIVATE_KEY in secrets/. A real homelab puts its own key here and in that file.
  operatorKeys: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEH/iMrb1TsN580BUQcjVEP1QhqQxgnVfG1FHrVLcOgz homelab lab-only"],
};
