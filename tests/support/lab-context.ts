import { systemClock } from "../../common/clock";
import { createAuthority } from "../../lab/core/tls";
import type { LabContext, LabSystem, LocalPort, StampedRecord } from "../../lab/core/world";

/** A context for one simulator: nothing is persisted, there is no latency, and records and unhandled calls can be read. */
export async function testContext(): Promise<LabContext & { records: { list: StampedRecord[] }; unhandledList: string[] }> {
  const places = new Map<string, LocalPort>();
  const resolvers = new Set<(host: string, port: number) => LocalPort | undefined>();
  const list: StampedRecord[] = [];
  const unhandledList: string[] = [];
  const records = {
    list,
    add: (entry: { system: LabSystem; target: string; kind: "read" | "write"; action: string }) => {
      list.push({ ...entry, seq: list.length + 1, at: "" });
    },
    since: (seq = 0) => list.filter((record) => record.seq > seq),
  };
  return {
    clock: systemClock,
    latency: { of: () => 0 },
    records,
    unhandled: { add: ({ what }) => unhandledList.push(what), all: () => unhandledList.map((what) => ({ system: "", target: "", what, at: "" })) },
    unhandledList,
    network: {
      listen: (host, port, local) => {
        places.set(`${host}:${port}`, local);
      },
      unlisten: (host, port) => {
        places.delete(`${host}:${port}`);
      },
      addResolver: (resolver) => {
        resolvers.add(resolver);
        return () => resolvers.delete(resolver);
      },
      serveNames: () => () => undefined,
      isOwn: () => false,
      addressOf: () => "no name server",
      resolve: (host, port) => places.get(`${host}:${port}`) ?? [...resolvers].map((resolver) => resolver(host, port)).find((found) => found !== undefined),
    },
    tls: await createAuthority("test CA"),
    faults: { take: () => undefined },
    changed: () => undefined,
  };
}
