/** DNS over TCP, as the lab's network has no datagrams. */
import { createServer, type Server } from "node:net";
import { type Answer, AUTHORITATIVE_ANSWER, type Packet, RECURSION_AVAILABLE, RECURSION_DESIRED, streamDecode, streamEncode } from "dns-packet";
import { lookUp, type NameTable } from "./names";

/** Pi-hole's `dns.cache` gives its own records no time to live. */
const TTL_S = 0;
const NXDOMAIN = 3;
const REFUSED = 5;
const NOT_IMPLEMENTED = 4;

interface Answered {
  rcode: number;
  answers: Answer[];
}

export interface DnsWorld {
  /** Whether the lab's internet has nothing more to say of a name: one of the homelab's own. */
  isOwn(name: string): boolean;
  /** A question that a real Pi-hole passes on to its upstreams, which the lab does not have. */
  onUnhandled(what: string): void;
}

function answerTo(table: NameTable, name: string, type: string, { isOwn, onUnhandled }: DnsWorld): Answered {
  if (type !== "A" && type !== "AAAA" && type !== "CNAME") {
    onUnhandled(`${type} ${name}`);
    return { rcode: NOT_IMPLEMENTED, answers: [] };
  }
  const { chain, addresses } = lookUp(table, name);
  if (addresses.length === 0) {
    // Of its own domain the lab's internet knows nothing either.
    if (isOwn(name)) return { rcode: NXDOMAIN, answers: [] };
    onUnhandled(`${type} ${name}: there is no upstream in the lab`);
    return { rcode: REFUSED, answers: [] };
  }
  const owners = [name, ...chain];
  const aliases = chain.map((data, index): Answer => ({ type: "CNAME", name: owners[index] ?? name, ttl: TTL_S, data }));
  if (type === "CNAME") return { rcode: 0, answers: aliases.slice(0, 1) };
  const wanted = addresses.filter((address) => address.includes(":") === (type === "AAAA"));
  return { rcode: 0, answers: [...aliases, ...wanted.map((data): Answer => ({ type, name: owners.at(-1) ?? name, ttl: TTL_S, data }))] };
}

/** @param table what is known now */
export function dnsServer(table: () => NameTable, world: DnsWorld): Server {
  return createServer((socket) => {
    let waiting = Buffer.alloc(0);
    // The client has closed the connection: nobody is left to get the error.
    socket.on("error", () => socket.destroy());
    socket.on("data", (chunk: Buffer) => {
      waiting = Buffer.concat([waiting, chunk]);
      while (waiting.length >= 2 && waiting.length >= 2 + waiting.readUInt16BE(0)) {
        const length = 2 + waiting.readUInt16BE(0);
        let query: Packet | null;
        try {
          query = streamDecode(waiting.subarray(0, length));
        } catch {
          socket.destroy();
          return;
        }
        waiting = waiting.subarray(length);
        const [question] = query?.questions ?? [];
        if (query === null || question === undefined) {
          socket.destroy();
          return;
        }
        const { rcode, answers } = answerTo(table(), question.name, question.type, world);
        const flags = rcode | RECURSION_AVAILABLE | AUTHORITATIVE_ANSWER | ((query.flags ?? 0) & RECURSION_DESIRED);
        socket.write(streamEncode({ type: "response", id: query.id ?? 0, flags, questions: [question], answers }));
      }
    });
  });
}
