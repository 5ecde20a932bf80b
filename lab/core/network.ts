import { HomelabError } from "../../common/errors";
import type { LocalPort, Network } from "./world";

const keyOf = (host: string, port: number): string => `${host.toLowerCase()}:${port}`;

/** An empty network: nothing is reachable until a simulator listens. */
export function createNetwork(): Network {
  const listeners = new Map<string, LocalPort>();
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
