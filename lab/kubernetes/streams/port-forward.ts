/** `pods/portforward`: connections to what listens in a pod. */
import { connect } from "node:net";
import type { Duplex } from "node:stream";
import { createWebSocketStream } from "ws";
import type { Call } from "../call";
import type { KubeObject } from "../objects";
import type { PortLookup } from "../pod-programs";
import { SpdyConnection, type SpdyStream } from "./spdy";
import { acceptSpdy, acceptWebSocket, protocolOf, wantsWebSocket } from "./upgrade";

const PROTOCOL = "portforward.k8s.io";
/** kubectl since 1.30 sends the same SPDY through a WebSocket, since proxies let that pass. */
const TUNNELLED = `SPDY/3.1+${PROTOCOL}`;

/** Serves the request until its client closes it. */
export async function portForward(call: Call, pod: KubeObject, lookup: PortLookup): Promise<void> {
  const protocol = protocolOf(call, { spdy: [PROTOCOL], webSocket: [TUNNELLED] });
  const socket: Duplex = wantsWebSocket(call.request) ? createWebSocketStream(await acceptWebSocket(call, protocol)) : acceptSpdy(call, protocol);
  const errors = new Map<string, SpdyStream>();
  const connection = new SpdyConnection(socket, (stream) => {
    stream.on("error", () => stream.destroy());
    const { streamtype, requestid = "", port = "" } = stream.headers;
    if (streamtype === "error") {
      errors.set(requestid, stream);
      stream.resume();
      return;
    }
    const error = errors.get(requestid);
    errors.delete(requestid);
    if (streamtype !== "data" || error === undefined) stream.destroy();
    else forward(stream, error, pod, Number(port), lookup);
  });
  await connection.serve();
}

function forward(data: SpdyStream, error: SpdyStream, pod: KubeObject, port: number, lookup: PortLookup): void {
  const { namespace, name, uid } = pod.metadata;
  const fail = (why: string): void => {
    error.end(`error forwarding port ${port} to pod ${namespace}/${name}, uid ${uid}: ${why}`);
    data.resume();
    data.end();
  };
  const found = lookup(pod, port);
  if ("refused" in found) {
    fail(found.refused);
    return;
  }
  const upstream = connect({ port: found.port, host: "127.0.0.1", allowHalfOpen: true });
  upstream.once("connect", () => {
    data.pipe(upstream);
    upstream.pipe(data);
  });
  upstream.once("error", (thrown) => fail(thrown.message));
  upstream.on("close", () => error.end());
  data.on("close", () => upstream.destroy());
}
