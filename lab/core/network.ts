import { HomelabError } from "../../common/errors";
import { isInNetworks, type LabSite } from "../../common/lab-site";
import type { LocalPort, Network } from "./world";

const keyOf = (host: string, port: number): string => `${host.toLowerCase()}:${port}`;

/** What tells the homelab's own hosts from the internet's. */
export type OwnNetwork = Pick<LabSite, "domain" | "networks">;

/**
 * An empty network: nothing is reachable until a simulator listens.
 * @param own of the homelab; without it every host is the internet's
 */
export function createNetwork(own?: OwnNetwork): Network {
  const listeners = new Map<string, LocalPort>();
  const nameServers = new Set<(name: string) => string | undefined>();
  const resolvers = new Set<(host: string, port: number) => LocalPort | undefined>();
  return {
    listen: (host, port, local) => {
      const key = keyOf(host, port);
      if (listeners.has(key)) throw new HomelabError("E_LAB_ADDRESS_TAKEN", `something in the lab listens on ${key} already`, { subject: key });
      listeners.set(key, local);
    },
    unlisten: (host, port) => {
      listeners.delete(keyOf(host, port));
    },
    addResolver: (resolver) => {
      resolvers.add(resolver);
      return () => resolvers.delete(resolver);
    },
    serveNames: (lookup) => {
      nameServers.add(lookup);
      return () => nameServers.delete(lookup);
    },
    addressOf: (name) => {
      if (nameServers.size === 0) return "no name server";
      for (const lookup of nameServers) {
        const found = lookup(name.toLowerCase());
        if (found !== undefined) return found;
      }
      return undefined;
    },
    isOwn: (host) => own !== undefined && (isInNetworks(host, own.networks) || host === own.domain || host.endsWith(`.${own.domain}`)),
    resolve: (host, port) => {
      const direct = listeners.get(keyOf(host, port));
      if (direct) return direct;
      for (const resolver of resolvers) {
        const found = resolver(host.toLowerCase(), port);
        if (found) return found;
      }
      return undefined;
    },
  };
}
