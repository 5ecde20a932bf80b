/** Proxmox as a run needs it: its version, what its token may do, its nodes, what its storages take, their room, its clock. */
import { z } from "zod";
import { answered } from "../../common/answer";
import { createHttpClient, type HttpClient } from "../../common/http";
import { nameOf, type ProxmoxSite } from "../define/nodes";
import { clockFinding, type Finding, look, ok, roomFinding, wrong } from "./finding";

export interface ProxmoxAccess {
  /** `https://…:8006/` */
  endpoint: string;
  tokenId: string;
  secret: string;
}

/** The oldest release whose API the provider is written for: docs/providers.md. */
const OLDEST = 8;

/** The table of docs/vms.md. Since release 9 there is no VM.Monitor. */
const RIGHTS: readonly [path: string, privileges: readonly string[]][] = [
  [
    "/vms",
    [
      ...["VM.Allocate", "VM.Clone", "VM.Audit", "VM.PowerMgmt"],
      ...["CPU", "Cloudinit", "Disk", "HWType", "Memory", "Network", "Options"].map((part) => `VM.Config.${part}`),
    ],
  ],
  ["/storage", ["Datastore.AllocateSpace", "Datastore.AllocateTemplate", "Datastore.Audit"]],
  ["/", ["Sys.Audit", "Sys.Modify"]],
  ["/sdn/zones/localnetwork", ["SDN.Use"]],
];

const versionSchema = z.object({ version: z.string() });
const permissionsSchema = z.record(z.string(), z.record(z.string(), z.number()));
const nodesSchema = z.array(z.looseObject({ node: z.string(), status: z.string() }));
const storagesSchema = z.array(
  z.looseObject({ storage: z.string(), content: z.string(), active: z.number().default(1), avail: z.number().optional(), total: z.number().optional() }),
);

class Api {
  /** The server's time at its last answer, and ours. */
  seenAt: { there: number; here: number } | undefined;

  constructor(
    private readonly client: HttpClient,
    private readonly access: ProxmoxAccess,
    private readonly now: () => number,
  ) {}

  async get<T>(route: string, schema: z.ZodType<T>): Promise<T> {
    const { tokenId, secret, endpoint } = this.access;
    const url = new URL(`/api2/json${route}`, endpoint).href;
    const { status, body, headers } = await this.client.request({
      method: "GET",
      url,
      headers: { authorization: `PVEAPIToken=${tokenId}=${secret}` },
      timeoutMs: 15_000,
    });
    if (typeof headers["date"] === "string") this.seenAt = { there: Date.parse(headers["date"]), here: this.now() };
    if (status === 401) throw new Error("it does not know the token: PROXMOX_TOKEN_ID and PROXMOX_SECRET in secrets/");
    if (status !== 200) throw new Error(`GET ${route} was answered with ${status}`);
    return answered(z.object({ data: schema }), body, {
      from: `GET ${route}`,
      hint: "look at the endpoint in site/nodes.ts: what answers there is no Proxmox 8 or 9",
    }).data;
  }
}

/** A privilege on a path counts for what is below it. */
const holds = (given: z.infer<typeof permissionsSchema>, path: string, privilege: string): boolean =>
  Object.entries(given).some(([at, privileges]) => (at === "/" || path === at || path.startsWith(`${at}/`)) && privilege in privileges);

export function rightsFinding(given: z.infer<typeof permissionsSchema>): Finding {
  const missing = RIGHTS.flatMap(([path, privileges]) => privileges.filter((each) => !holds(given, path, each)).map((each) => `${each} on ${path}`));
  if (missing.length === 0) return ok("token", "may do what a run does");
  return wrong("token", `may not: ${missing.join(", ")}`, "give its role these privileges (docs/vms.md, What the token needs)");
}

/** @param found what the node's storages are now */
export function storageFindings(node: ProxmoxSite["nodes"][number], found: z.infer<typeof storagesSchema>): Finding[] {
  // What the site defines, a run makes; the rest must be there.
  const wanted = new Map<string, Set<string>>();
  const want = (name: string, content: string): void => void wanted.set(name, (wanted.get(name) ?? new Set()).add(content));
  for (const storage of node.storages) if (typeof storage === "string") want(storage, "images");
  want(node.templateStorage, "images");
  if (typeof node.fileStorage === "string") {
    want(node.fileStorage, "import");
    if (node.isos.length > 0) want(node.fileStorage, "iso");
  }
  for (const name of node.isoStorages) want(name, "iso");
  const defined = new Set(node.storages.filter((storage) => typeof storage !== "string").map(nameOf));
  return [...wanted].flatMap(([name, contents]): Finding[] => {
    const label = `storage ${node.name}/${name}`;
    const storage = found.find((each) => each.storage === name);
    if (storage === undefined) return defined.has(name) ? [] : [wrong(label, "is not there", "add it in Proxmox, or correct its name in site/nodes.ts")];
    if (storage.active !== 1) return [wrong(label, "is not active", `look at it on ${node.name}: \`pvesm status\``)];
    const missing = [...contents].filter((content) => !storage.content.split(",").includes(content));
    if (missing.length > 0)
      return [
        wrong(label, `takes ${storage.content}, and not ${missing.join(", ")}`, `\`pvesm set ${name} --content ${[storage.content, ...missing].join(",")}\``),
      ];
    if (storage.avail === undefined || storage.total === undefined) return [ok(label, storage.content)];
    return [roomFinding(label, storage.avail, storage.total, "delete volumes that no VM uses, or add disks")];
  });
}

/** @throws Error where it does not answer, or not as Proxmox does */
export async function probeProxmox(access: ProxmoxAccess, proxmox: ProxmoxSite, now: () => number): Promise<Finding[]> {
  const client = createHttpClient(access.endpoint);
  try {
    const api = new Api(client, access, now);
    const { version } = await api.get("/version", versionSchema);
    const isOld = Number(version.split(".")[0]) < OLDEST;
    const findings = [
      isOld
        ? look("proxmox", `${version} at ${access.endpoint}`, `upgrade to ${OLDEST} or newer: older ones were not tested`)
        : ok("proxmox", `${version} at ${access.endpoint}`),
      rightsFinding(await api.get("/access/permissions", permissionsSchema)),
    ];
    const nodes = await api.get("/nodes", nodesSchema);
    for (const node of proxmox.nodes) {
      const found = nodes.find((each) => each.node === node.name);
      if (found?.status === "online") findings.push(...storageFindings(node, await api.get(`/nodes/${node.name}/storage`, storagesSchema)));
      else if (found === undefined) findings.push(wrong(`node ${node.name}`, "is not in the cluster", "join it, or correct its name in site/nodes.ts"));
      else findings.push(wrong(`node ${node.name}`, `is ${found.status}`, "switch it on, or look at its network (docs/runbooks.md)"));
    }
    if (api.seenAt !== undefined) findings.push(clockFinding("clock of Proxmox", api.seenAt.there, api.seenAt.here));
    return findings;
  } finally {
    await client.close();
  }
}
