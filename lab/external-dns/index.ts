/** external-dns with Pi-hole as its provider: one process. It writes names of routes, and exits on the errors on which the real one exits. */
import type { LabContext } from "../core/world";
import type { KubeObject } from "../kubernetes";
import { parseSettings, type Settings } from "./flags";
import { PiholeClient } from "./pihole-client";
import {
  currentEndpoints,
  type Endpoint,
  gatewayEndpoints,
  type IstioObjects,
  ingressEndpoints,
  mergedEndpoints,
  planChanges,
  serviceEndpoints,
  virtualServiceEndpoints,
} from "./plan";

export interface ExternalDnsOptions {
  ctx: LabContext;
  /** Who it is, for records and unhandled calls: `dev/external-dns`. */
  label: string;
  /** Of its image, without `v`. */
  version: string;
  args: readonly string[];
  environment: Readonly<Record<string, string>>;
  ingresses(): KubeObject[];
  services(): KubeObject[];
  /** Gateways and VirtualServices; undefined where the cluster has no such kinds. */
  istio(): Omit<IstioObjects, "services"> | undefined;
  /** A line of its log. */
  log(line: string): void;
}

export interface ExternalDns {
  readonly settings: Settings;
  /** Changes the records to match the routes. @throws Error on which the real program exits */
  runOnce(): Promise<void>;
}

/** @throws Error where a source's kind is not there, with which the real one ends */
function istioEndpoints(sources: Settings["sources"], options: ExternalDnsOptions, unmodelled: (what: string) => void): Endpoint[] {
  const wanted = sources.filter((source) => source.startsWith("istio-"));
  if (wanted.length === 0) return [];
  const objects = options.istio();
  if (objects === undefined) throw new Error("failed to sync *v1.Gateway: context deadline exceeded with timeout 60s");
  const all = { ...objects, services: options.services() };
  return [
    ...(wanted.includes("istio-gateway") ? gatewayEndpoints(all, unmodelled) : []),
    ...(wanted.includes("istio-virtualservice") ? virtualServiceEndpoints(all, unmodelled) : []),
  ];
}

/** @throws Error with what the process ends at: a wrong argument, a password that Pi-hole refuses */
export async function startExternalDns(options: ExternalDnsOptions): Promise<ExternalDns> {
  const { ctx, label, log } = options;
  const unmodelled = (what: string): void => ctx.unhandled.add({ system: "external-dns", target: label, what: `${what} is not modelled` });
  const settings = parseSettings(options.version, options.args, unmodelled);
  const client = new PiholeClient(ctx, label, settings.server, options.environment["EXTERNAL_DNS_PIHOLE_PASSWORD"] ?? "");
  await client.login();
  const say = (verb: string, { name, type, targets }: Endpoint): void => {
    for (const target of targets) log(`level=info msg="${verb} ${name} IN ${type} -> ${target}"`);
  };
  return {
    settings,
    runOnce: async () => {
      const { hosts, cnameRecords } = await client.lists();
      const desired = [
        ...(settings.sources.includes("ingress") ? ingressEndpoints(options.ingresses(), unmodelled) : []),
        ...istioEndpoints(settings.sources, options, unmodelled),
        ...(settings.sources.includes("service") ? serviceEndpoints(options.services(), unmodelled) : []),
      ];
      const changes = planChanges(settings, mergedEndpoints(desired), currentEndpoints(hosts, cnameRecords));
      for (const endpoint of [...changes.delete, ...changes.update.map(({ old }) => old)]) {
        say("DELETE", endpoint);
        await client.remove(endpoint);
      }
      for (const endpoint of [...changes.create, ...changes.update.map((update) => update.new)]) {
        say("PUT", endpoint);
        await client.put(endpoint);
      }
      if (changes.create.length + changes.update.length + changes.delete.length === 0) log('level=info msg="All records are already up to date"');
    },
  };
}
