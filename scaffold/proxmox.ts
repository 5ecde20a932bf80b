/** Reads a homelab's nodes from its Proxmox API. */
import { z } from "zod";
import { HomelabError } from "../common/errors";
import { createHttpClient, type HttpClient } from "../common/http";
import type { NodeAnswer } from "./answers";

export interface ProxmoxAccess {
  /** `https://10.20.0.2:8006` */
  url: string;
  /** `homelab@pve!pulumi` */
  tokenId: string;
  secret: string;
  /** False: the server's certificate is not checked. Needed while Proxmox has its self-signed one. */
  verify: boolean;
}

const nodesSchema = z.array(z.object({ node: z.string(), status: z.string() }));
const statusSchema = z.object({
  cpuinfo: z.object({ cpus: z.number(), model: z.string() }),
  memory: z.object({ total: z.number() }),
});
const bridgesSchema = z.array(z.object({ iface: z.string(), type: z.string(), cidr: z.string().optional() }));
const storagesSchema = z.array(
  z.object({ storage: z.string(), type: z.string(), content: z.string(), active: z.number().optional(), total: z.number().optional() }),
);

async function ask<T>(http: HttpClient, { url, tokenId, secret }: ProxmoxAccess, route: string, schema: z.ZodType<T>): Promise<T> {
  const { status, body } = await http.request({
    method: "GET",
    url: `${url}/api2/json${route}`,
    headers: { authorization: `PVEAPIToken=${tokenId}=${secret}` },
  });
  if (status === 401 || status === 403)
    throw new HomelabError("E_PROXMOX_TOKEN", `Proxmox at ${url} does not take the token ${tokenId} (${status} for ${route})`, {
      subject: url,
      hint: "check the token's id, its secret, and its rights (docs/vms.md)",
    });
  if (status !== 200) throw new HomelabError("E_PROXMOX", `Proxmox at ${url} answered ${status} to ${route}`, { subject: url, hint: "look at the node's log" });
  try {
    return z.object({ data: schema }).parse(JSON.parse(body)).data;
  } catch (cause) {
    throw new HomelabError("E_PROXMOX", `what ${url} answers to ${route} is not from Proxmox 8`, { cause, subject: url, hint: "check the address" });
  }
}

/** The largest storage for disks, and one for files. @throws HomelabError E_PROXMOX */
function storagesOf(node: string, storages: z.infer<typeof storagesSchema>): Pick<NodeAnswer, "storage" | "fileStorage" | "roomGiB"> {
  const active = storages.filter(({ active: is }) => is !== 0);
  const withContent = (content: string) => active.filter((storage) => storage.content.split(",").includes(content));
  const [disks] = withContent("images").toSorted((a, b) => (b.total ?? 0) - (a.total ?? 0));
  const files = withContent("iso").find(({ type }) => type === "dir") ?? withContent("iso")[0];
  if (disks === undefined || files === undefined)
    throw new HomelabError("E_PROXMOX", `node ${node} has no storage for ${disks === undefined ? "disks (content type images)" : "ISOs (content type iso)"}`, {
      subject: node,
      hint: "add one in Proxmox: Datacenter, Storage",
    });
  return { storage: disks.storage, fileStorage: files.storage, roomGiB: Math.max(1, Math.floor((disks.total ?? 0) / 1024 ** 3)) };
}

async function nodeOf(http: HttpClient, access: ProxmoxAccess, name: string): Promise<NodeAnswer> {
  const at = `/nodes/${encodeURIComponent(name)}`;
  const [{ cpuinfo, memory }, bridges, storages] = await Promise.all([
    ask(http, access, `${at}/status`, statusSchema),
    ask(http, access, `${at}/network`, bridgesSchema),
    ask(http, access, `${at}/storage`, storagesSchema),
  ]);
  const bridge = bridges.find(({ type, cidr }) => type === "bridge" && cidr !== undefined);
  if (bridge?.cidr === undefined)
    throw new HomelabError("E_PROXMOX", `node ${name} has no bridge with an IPv4 address`, { subject: name, hint: "give the nodes by --node NAME=ADDRESS" });
  return {
    name,
    address: bridge.cidr.replace(/\/.*/, ""),
    memoryMiB: Math.floor(memory.total / 1024 ** 2),
    threads: cpuinfo.cpus,
    cpu: cpuinfo.model,
    bridge: bridge.iface,
    ...storagesOf(name, storages),
  };
}

/** Those that are online, by name. @throws HomelabError E_PROXMOX_TOKEN, E_PROXMOX, E_HTTP */
export async function readNodes(access: ProxmoxAccess): Promise<NodeAnswer[]> {
  const http = createHttpClient(access.url, { verify: access.verify });
  try {
    const nodes = await ask(http, access, "/nodes", nodesSchema);
    const online = nodes.filter(({ status }) => status === "online").map(({ node }) => node);
    return await Promise.all(online.toSorted().map((name) => nodeOf(http, access, name)));
  } finally {
    await http.close();
  }
}
