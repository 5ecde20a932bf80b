/** The homelab's name server, and the certificates of what is served by name. */
import * as net from "node:net";
import * as tls from "node:tls";
import { type Packet, streamDecode, streamEncode } from "dns-packet";
import { dial, PATIENCE_MS } from "./dial";
import { endFinding, type Finding, look, ok, reason, wrong } from "./finding";

const DNS_PORT = 53;

/** @returns addresses; empty where the server says that there is no such name */
async function lookUp(server: string, name: string, port: number): Promise<string[]> {
  const socket = await dial(server, port);
  try {
    const answer = await new Promise<Packet>((resolve, reject) => {
      let received = Buffer.alloc(0);
      socket.setTimeout(PATIENCE_MS, () => reject(new Error(`${server} did not answer within ${PATIENCE_MS / 1_000} s`)));
      socket.on("data", (chunk: Buffer) => {
        received = Buffer.concat([received, chunk]);
        if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
        try {
          const packet = streamDecode(received);
          if (packet === null) reject(new Error(`${server} gave half an answer`));
          else resolve(packet);
        } catch (cause) {
          // Thrown from here it would end the process, and with it all other probes.
          reject(new Error(`what answers at ${server} is no name server`, { cause }));
        }
      });
      socket.on("error", reject);
      socket.on("close", () => reject(new Error(`${server} closed the connection`)));
      socket.write(streamEncode({ type: "query", id: 1, flags: 0x100, questions: [{ type: "A", name }] }));
    });
    return (answer.answers ?? []).flatMap((each) => (each.type === "A" ? [each.data] : []));
  } finally {
    socket.destroy();
  }
}

/** One line for all names that resolve, one for those that do not. @param port default 53 */
export async function probeNames(server: string, names: readonly string[], port = DNS_PORT): Promise<Finding[]> {
  const missing: string[] = [];
  try {
    for (const name of names) if ((await lookUp(server, name, port)).length === 0) missing.push(name);
  } catch (thrown) {
    return [wrong("names", `the name server ${server} does not answer: ${reason(thrown)}`, "look at the VM whose duty is `dns`: `homelab hosts check`")];
  }
  const found = names.length - missing.length;
  if (missing.length === 0) return [ok("names", `${server} knows ${found === 1 ? "the one host name" : `all ${found} host names`}`)];
  return [
    look("names", `${server} does not know ${missing.join(", ")}`, "look at external-dns of the cluster that serves them: its log says what Pi-hole refused"),
  ];
}

/** What a server presents at the port of HTTPS, whether it is trusted or not. */
async function certificateOf(host: string, port: number): Promise<{ validTo: string; refused: string | undefined }> {
  const socket = await dial(host, port);
  return new Promise((resolve, reject) => {
    const secure = tls.connect({ socket, ...(net.isIP(host) === 0 ? { servername: host } : { host }), rejectUnauthorized: false }, () => {
      const { valid_to: validTo } = secure.getPeerCertificate();
      const refused = secure.authorizationError === null || secure.authorizationError === undefined ? undefined : String(secure.authorizationError);
      secure.destroy();
      resolve({ validTo, refused });
    });
    secure.setTimeout(PATIENCE_MS, () => secure.destroy(new Error(`${host} did not finish its greeting within ${PATIENCE_MS / 1_000} s`)));
    secure.once("error", reject);
  });
}

/** @param renewed who makes the next certificate. @param port default 443 */
export async function probeCertificate(host: string, now: number, renewed: string, port = 443): Promise<Finding> {
  const label = `certificate of ${host}`;
  try {
    const { validTo, refused } = await certificateOf(host, port);
    const end = endFinding(label, validTo, now, renewed);
    if (end.verdict === "wrong" || refused === undefined || refused === "CERT_HAS_EXPIRED") return end;
    return wrong(label, `is not trusted here: ${refused}`, "site/authority.pem, or NODE_EXTRA_CA_CERTS, names the authority that signs it (docs/runbooks.md)");
  } catch (thrown) {
    return wrong(label, reason(thrown), "look at what serves it: the cluster's gateway, or its VM");
  }
}
