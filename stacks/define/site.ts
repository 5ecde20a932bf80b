/** What is the same in every environment of one homelab. */

/** Addresses, names and the people who may log in. */
export interface Site {
  /** Base of all host names; also the homelab's own name. */
  domain: string;
  /** Network of all VMs and hosts, as CIDR. */
  subnet: string;
  gateway: string;
  /** The name server that the hosts use. */
  nameserver: string;
  /** URL of Proxmox's API. */
  proxmoxEndpoint: string;
  piholeUrl: string;
  /** URL of Vault; its name gets a route and a certificate in the stack with the module `vault`. */
  vaultAddress: string;
  /** User that cloud-init makes on every VM; may use sudo without a password. */
  user: string;
  /** Public keys that may log in as `user`. */
  operatorKeys: readonly string[];
}

export const defineSite = (site: Site): Site => site;
