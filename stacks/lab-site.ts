/**
 * `node bin/stacks/lab-site.js`: what the lab has to know of this homelab, as JSON on standard output (common/lab-site.ts). Loads
 * no Pulumi SDK and checks no settings: a lab starts whatever else is wrong. Errors: one line of JSON, exit code 1.
 */
import * as net from "node:net";
import { HomelabError } from "../common/errors";
import { type LabSite, parseLabSite } from "../common/lab-site";
import { lab } from "../site/lab";
import { printAnswer } from "./child";
import { SITE_FILES } from "./load/estate";

const { site, proxmox, stacks } = SITE_FILES;

/** Where the API answers: the endpoint's own address, or that of the first node where the endpoint is a name. */
function proxmoxOf(nodes: LabSite["nodes"]): LabSite["proxmox"] {
  const { hostname, port } = new URL(site.proxmoxEndpoint);
  const isAddress = net.isIPv4(hostname);
  const first = nodes[0]?.bridges.find(({ cidr }) => cidr !== undefined)?.cidr?.replace(/\/.*/, "");
  return {
    address: isAddress ? hostname : (first ?? ""),
    port: Number(port || 443),
    names: isAddress ? [] : [hostname],
    cluster: lab.cluster,
    nameserver: site.nameserver,
  };
}

/** The repositories from which Argo CD delivers. Wrong options are ignored here: the plan of the platform refuses them. */
const repositoriesOf = (): string[] => [
  ...new Set(
    Object.values(stacks).flatMap(({ platform = {} }) => {
      const { repository } = (platform["argo-cd"] as { applications?: { repository?: unknown } } | undefined)?.applications ?? {};
      return typeof repository === "string" ? [repository] : [];
    }),
  ),
];

/**
 * The document that the lab is started with.
 * @throws HomelabError E_LAB_SITE
 */
export function labSite(): LabSite {
  for (const [name, value] of Object.entries({ site, nodes: proxmox, stacks, lab }))
    if (value === undefined)
      throw new HomelabError("E_LAB_SITE", `site/${name}.ts exports nothing that the lab can read`, {
        subject: `site/${name}.ts`,
        hint: "restore the file: docs/site.md says what is in it",
      });
  const nodes = proxmox.nodes.map(({ name, memoryMiB }) => {
    const hardware = lab.nodes[name];
    if (hardware === undefined)
      throw new HomelabError("E_LAB_SITE", `site/lab.ts says nothing of the node "${name}"`, {
        subject: name,
        hint: "add what the lab shows of it: cores, ports, bridges and pools",
      });
    return { name, memoryMiB, ...hardware };
  });
  const images = new Map([proxmox.image, ...proxmox.nodes.flatMap(({ isos }) => isos)].map(({ url, sha256 }) => [url, { url, sha256 }]));
  const document = {
    version: 1,
    domain: site.domain,
    networks: [site.subnet],
    proxmox: proxmoxOf(nodes),
    nodes,
    storages: lab.storages,
    images: [...images.values()],
    repositories: repositoriesOf(),
    stacks: Object.entries(stacks).map(([name, { vms }]) => ({ name, hosts: Object.keys(vms) })),
  };
  return parseLabSite(document, "site/");
}

if (require.main === module) printAnswer(labSite);
