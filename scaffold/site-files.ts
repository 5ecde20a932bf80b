/** The texts of a new site's files. */
import type { Answers, NodeAnswer } from "./answers";
import { type PlannedVm, RESERVED_MIB } from "./layout";
import { siteTest } from "./part-tests";

/** Path from the checkout's folder to text. */
export type Files = Map<string, string>;

const text = (value: string): string => JSON.stringify(value);
const prefixOf = (network: string): string => network.slice(network.indexOf("/"));

/** Ubuntu 24.04 of one day: the same URL always gives the same bytes. */
const IMAGE = `  image: {
    templateName: "ubuntu24-template",
    url: "https://cloud-images.ubuntu.com/releases/24.04/release-20241004/ubuntu-24.04-server-cloudimg-amd64.img",
    sha256: "fad101d50b06b26590cf30542349f9e9d3041ad7929e3bc3531c81ec27f2c788",
    fileName: "ubuntu-24.04-20241004-amd64.qcow2",
  },`;

const siteFile = (
  { domain, network, gateway, nodes, user }: Answers,
  dns: string,
  publicKey: string,
): string => `/** Addresses, names and people of this homelab. */
import { defineSite } from "../stacks/define/site";

export const site = defineSite({
  domain: ${text(domain)},
  subnet: ${text(network)},
  gateway: ${text(gateway)},
  nameserver: ${text(dns)},
  proxmoxEndpoint: ${text(`https://${nodes[0]?.address}:8006/`)},
  piholeUrl: ${text(`http://${dns}`)},
  vaultAddress: ${text(`https://vault.${domain}`)},
  user: ${text(user)},
  // The public half of SSH_PRIVATE_KEY in secrets/, which the homelab itself logs in with. Put yours beside it.
  operatorKeys: [${text(publicKey)}],
});
`;

const nodeText = ({ name, memoryMiB, threads, cpu, bridge, storage, fileStorage }: NodeAnswer, index: number): string => `    {
      name: ${text(name)},
      hardware: ${text(cpu)},
      memoryMiB: ${memoryMiB},
      reservedMiB: ${RESERVED_MIB},
      threads: ${threads},
      bridges: [${text(bridge)}],
      storages: [${text(storage)}],
      // Needs the content types import and iso (Datacenter, Storage, Edit).
      fileStorage: ${text(fileStorage)},
      isoStorages: [],
      isos: [],
      templateStorage: ${text(storage)},
      templateId: ${9001 + index},
    },`;

const nodesFile = ({ nodes }: Answers): string => `/** The Proxmox nodes of this homelab. docs/hosts.md says how bridges and storages are made or taken over. */
import { defineNodes } from "../stacks/define/nodes";

export const proxmox = defineNodes({
${IMAGE}
  nodes: [
${nodes.map(nodeText).join("\n")}
  ],
});
`;

const labNode = (
  { name, threads, cpu, bridge, address, storage, roomGiB }: NodeAnswer,
  { network, gateway }: Answers,
): string => `    ${JSON.stringify(name)}: {
      ...{ cores: ${threads}, sockets: 1, cpu: ${text(cpu)}, ports: ["eno1"], rootGiB: 100 },
      bridges: [{ name: ${text(bridge)}, ports: ["eno1"], cidr: ${text(`${address}${prefixOf(network)}`)}, gateway: ${text(gateway)} }],
      thinPools: [{ place: ${text(`pve/${storage}`)}, totalGiB: ${roomGiB} }],
    },`;

function labFile(answers: Answers): string {
  const { nodes } = answers;
  const owners = (name: (node: NodeAnswer) => string): [string, string[]][] => {
    const found = new Map<string, string[]>();
    for (const node of nodes) found.set(name(node), [...(found.get(name(node)) ?? []), node.name]);
    return [...found];
  };
  const limits = (names: readonly string[]): string => (names.length === nodes.length ? "" : `, nodes: ${text(names.join(","))}`);
  const entries = [
    ...owners(({ fileStorage }) => fileStorage).map(
      ([name, on]) =>
        `    { storage: ${text(name)}, type: "dir", options: { path: ${text(name === "local" ? "/var/lib/vz" : `/srv/${name}`)}, content: "backup,import,iso,vztmpl"${limits(on)} } },`,
    ),
    ...owners(({ storage }) => storage).map(
      ([name, on]) =>
        `    { storage: ${text(name)}, type: "lvmthin", options: { vgname: "pve", thinpool: ${text(name)}, content: "images,rootdir"${limits(on)} } },`,
    ),
  ];
  return `/** Facts about this homelab's machines that only the lab needs, beside those in site/nodes.ts. */
import { defineLab } from "../stacks/define/lab";

export const lab = defineLab({
  cluster: "homelab",
  nodes: {
${nodes.map((node) => labNode(node, answers)).join("\n")}
  },
  storages: [
${entries.join("\n")}
  ],
});
`;
}

const APP = `import { defineApp } from "../../stacks/define/app";

/** Answers each request with a description of that request, which shows that a cluster's routes work. */
export const whoami = (host: string) =>
  defineApp({
    image: "docker.io/traefik/whoami:v1.10.3",
    ports: [{ name: "http", port: 8080, host, url: "whoami" }],
    probes: { ready: "/health", live: "port" },
    environment: { WHOAMI_PORT_NUMBER: "8080" },
    resources: { cpu: "10m", memory: "16Mi", memoryLimit: "64Mi" },
    runAsUser: 65534,
  });
`;

/** A name as a key of an object. */
export const keyText = (name: string): string => (/^[a-z][a-z0-9]*$/i.test(name) ? name : text(name));

/** The entry of a stack other than the first. */
const stackText = (name: string, services: string, vm: string): string => `  ${keyText(name)}: {
    description: "applications of ${name}",
    needs: [${text(services)}],
    vms: { ${keyText(vm)}: "cluster" },
    platform: cluster,
    apps: { whoami: whoami(${text(`${name}.whoami`)}) },
  },
`;

function stacksFile({ stacks, certificates }: Answers, vms: readonly PlannedVm[]): string {
  const [services = "", ...others] = stacks;
  const ofStack = (name: string): PlannedVm[] => vms.filter(({ stack }) => stack === name);
  const duties = ofStack(services).map(({ name, duty }) => `${keyText(name)}: ${text(duty)}`);
  return `/** The stacks of this homelab: what each is for, what it needs, its VMs, and what runs in it. */
import { defineStacks } from "../stacks/define/stacks";
${others.length === 0 ? "" : 'import { whoami } from "./apps/whoami";\n'}
/** What every cluster has: certificates, its way into Vault, Secrets from it, and the names of its routes in Pi-hole. */
const cluster = { "cert-manager": ${certificates === "own" ? '{ issuer: "own-authority" }' : "{}"}, "cluster-access": {}, "external-secrets": {}, "external-dns": {} } as const;

export const stacks = defineStacks({
  ${keyText(services)}: {
    description: "Proxmox hosts and what all others use: names and Vault",
    needs: [],
    vms: { ${duties.join(", ")} },
    proxmox: true,
    platform: { ...cluster, vault: {}, "vault-entries": {} },
  },
${others.map((name) => stackText(name, services, ofStack(name)[0]?.name ?? "")).join("")}});
`;
}

/** A VM definition. */
const vmText = (
  { name, node, cores, memoryMiB, diskGiB, address, duty }: Omit<PlannedVm, "stack">,
  { network, gateway }: Pick<Answers, "network" | "gateway">,
  dns: string,
): string =>
  `name: ${name}
target_node: ${node.name}
cores: ${cores}
memory: ${memoryMiB}
onboot: true
agent: 1
serial: true
boot: order=scsi0
nested_disks:
  scsi:
    scsi0:
      disk:
        storage: ${node.storage}
        size: ${diskGiB}G
        format: raw
  ide:
    ide1:
      cloudinit:
        storage: ${node.storage}
network:
  bridge: ${node.bridge}
ipconfig0: "ip=${address}${prefixOf(network)},gw=${gateway}"
${duty === "dns" ? "" : `nameserver: ${dns}\n`}vm_state: running
`;

/** Settings of a stack. */
const settingsText = (domain: string, isServices: boolean): string => `config:
  # A resource without a provider of its own must fail, not use this machine's kubeconfig or environment.
  pulumi:disable-default-providers: ["*"]
  homelab:acmeEmail: certificates@${domain}
${isServices ? "  homelab:dns:\n    upstreams: [1.1.1.1, 9.9.9.9]\n" : ""}`;

/** All files of a new site but those with secrets. */
export function siteFiles(answers: Answers, vms: readonly PlannedVm[], publicKey: string): Files {
  const dns = vms.find(({ duty }) => duty === "dns")?.address ?? "";
  const [services] = answers.stacks;
  return new Map([
    ["site/site.ts", siteFile(answers, dns, publicKey)],
    ["site/nodes.ts", nodesFile(answers)],
    ["site/stacks.ts", stacksFile(answers, vms)],
    ["site/lab.ts", labFile(answers)],
    ["site/tests/site.test.ts", siteTest(answers.domain, answers.stacks)],
    ...(answers.stacks.length > 1 ? [["site/apps/whoami.ts", APP] as const] : []),
    ...vms.map((vm) => [`site/vms/${vm.name}.yaml`, vmText(vm, answers, dns)] as const),
    ...answers.stacks.map((name) => [`Pulumi.${name}.yaml`, settingsText(answers.domain, name === services)] as const),
  ]);
}
