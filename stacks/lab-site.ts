/**
 * `node bin/stacks/lab-site.js`: what the lab has to know of this homelab, as JSON on standard output (common/lab-site.ts). Loads
 * no Pulumi SDK and checks no settings: a lab starts whatever else is wrong. Errors: one line of JSON, exit code 1.
 */
import * as net from "node:net";
import { HomelabError } from "../common/errors";
import { type LabSite, parseLabSite } from "../common/lab-site";
import { failureLine } from "./child";
import { STACKS } from "./definitions";
import { CLOUD_IMAGE, NODES } from "./hosts";
import { CLUSTER_NAME, HARDWARE, STORAGES } from "./lab-hardware";
import { SITE } from "./site";

/** Where the API answers: the endpoint's own address, or that of the first node where the endpoint is a name. */
function proxmoxOf(nodes: LabSite["nodes"]): LabSite["proxmox"] {
  const { hostname, port } = new URL(SITE.proxmoxEndpoint);
  const isAddress = net.isIPv4(hostname);
  const first = nodes[0]?.bridges.find(({ cidr }) => cidr !== undefined)?.cidr?.replace(/\/.*/, "");
  return {
    address: isAddress ? hostname : (first ?? ""),
    port: Number(port || 443),
    names: isAddress ? [] : [hostname],
    cluster: CLUSTER_NAME,
    nameserver: SITE.nameserver,
  };
}

/**
 * The document that the lab is started with.
 * @throws HomelabError E_LAB_SITE
 */
export function labSite(): LabSite {
  const nodes = NODES.map(({ name, memoryMiB }) => {
    const hardware = HARDWARE[name];
    if (hardware === undefined)
      throw new HomelabError("E_LAB_SITE", `stacks/lab-hardware.ts says nothing of the node "${name}"`, {
        subject: name,
        hint: "add what the lab shows of it: cores, ports, bridges and pools",
      });
    return { name, memoryMiB, ...hardware };
  });
  const images = new Map([CLOUD_IMAGE, ...NODES.flatMap(({ isos }) => isos)].map(({ url, sha256 }) => [url, { url, sha256 }]));
  const document = {
    version: 1,
    domain: SITE.domain,
    networks: [SITE.subnet],
    proxmox: proxmoxOf(nodes),
    nodes,
    storages: STORAGES,
    images: [...images.values()],
    stacks: STACKS.map(({ name, vms }) => ({ name, hosts: vms })),
  };
  return parseLabSite(document, "stacks/lab-site.ts");
}

if (require.main === module) {
  try {
    process.stdout.write(`${JSON.stringify(labSite(), null, 2)}\n`);
  } catch (thrown) {
    process.stderr.write(failureLine(thrown));
    process.exitCode = 1;
  }
}
