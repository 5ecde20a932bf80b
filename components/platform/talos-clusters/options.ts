import { z } from "zod";
import { type AddressRange, rangeOf, rangesMeet } from "../../../common/address-range";
import { network } from "../option-types";

const version = z.string().regex(/^v\d+\.\d+\.\d+$/, "must be a version such as v1.34.2");
const range = z.string().regex(/^\d+(\.\d+){3}-\d+(\.\d+){3}$/, "must be a range of addresses such as 192.0.2.51-192.0.2.60");

/** Machines of one kind, all alike. */
const machines = z.strictObject({
  count: z.int().min(0).max(20),
  cores: z.int().min(2, "must be at least 2").max(64),
  memoryMiB: z.int().min(2048, "must be at least 2048: Talos needs it"),
  diskGiB: z.int().min(10, "must be at least 10: Talos needs it"),
});

const clusterFields = z.strictObject({
  kubernetes: version,
  talos: version,
  endpoint: z.ipv4("must be an address"),
  addresses: z.array(range).min(1),
  prefix: z.int().min(8).max(30),
  gateway: z.ipv4("must be an address"),
  dnsServers: z.array(z.ipv4("must be an address")).min(1),
  node: z.string().min(1),
  templateId: z.int().min(100),
  bridge: z.string().default("vmbr0"),
  podCidr: network("10.244.0.0/16").default("10.244.0.0/16"),
  serviceCidr: network("10.96.0.0/12").default("10.96.0.0/12"),
  controlPlanes: machines.refine(({ count }) => count % 2 === 1, { path: ["count"], error: "must be odd: etcd needs a majority" }),
  workers: machines,
});
/** What the fields say together. */
const cluster = clusterFields.superRefine((given, context) => {
  const say = (field: keyof typeof given, message: string): void => context.addIssue({ code: "custom", path: [field], message });
  const machineNetwork = rangeOf(`${given.gateway}/${given.prefix}`);
  const pools = given.addresses.flatMap((text) => rangeOf(text) ?? []);
  const meets = (range: AddressRange | undefined, others: readonly (AddressRange | undefined)[]): boolean =>
    range !== undefined && others.some((other) => other !== undefined && rangesMeet(range, other));
  const isOutside = (range: AddressRange): boolean => machineNetwork !== undefined && (range.first < machineNetwork.first || range.last > machineNetwork.last);
  const own = `the network of the gateway, ${given.gateway}/${given.prefix}`;
  if (pools.some(isOutside)) say("addresses", `must be in ${own}`);
  if ([rangeOf(given.endpoint)].some((range) => range !== undefined && isOutside(range))) say("endpoint", `must be in ${own}`);
  for (const [what, address] of [["the gateway", given.gateway], ...given.dnsServers.map((server) => ["the resolver", server])] as [string, string][])
    if (meets(rangeOf(address), pools)) say("addresses", `hold ${address}, which is ${what}'s`);
  const room = pools.reduce((sum, { first, last }) => sum + last - first + 1, 0);
  const machinesAtOnce = given.controlPlanes.count + given.workers.count + 1;
  if (room < machinesAtOnce) say("addresses", `must be ${machinesAtOnce} at least: one for each machine, and one for the machine that takes another's place`);
  const [podRange, serviceRange] = [rangeOf(given.podCidr), rangeOf(given.serviceCidr)];
  if (meets(podRange, [serviceRange])) say("serviceCidr", "must not overlap podCidr");
  if (meets(podRange, [machineNetwork])) say("podCidr", `must not overlap ${own}`);
  if (meets(serviceRange, [machineNetwork])) say("serviceCidr", `must not overlap ${own}`);
});
export type TalosCluster = z.output<typeof cluster>;

export const talosClustersOptions = z.strictObject({
  clusters: z
    .record(z.string().regex(/^[a-z]([a-z0-9-]{0,30}[a-z0-9])?$/, "must be a name of a-z, 0-9 and -"), cluster)
    .refine((all) => Object.keys(all).length > 0, "must have at least one cluster")
    .describe(
      "By name: versions of `kubernetes` and `talos`; the `endpoint` that its control planes share; `addresses` (ranges), `prefix`, `gateway` and `dnsServers` of its machines, none of them another's; the Proxmox `node` and the `templateId` of a template with Talos (nocloud) on it; `bridge`; ranges of pods and services; `controlPlanes` (an odd `count`) and `workers` with `cores`, `memoryMiB` and `diskGiB` of each",
    ),
});

export type TalosClustersOptions = z.output<typeof talosClustersOptions>;
