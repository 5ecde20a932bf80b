/** Addresses, names and people of this homelab. */
import { defineSite } from "../../../stacks/define/site";

export const site = defineSite({
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
});
