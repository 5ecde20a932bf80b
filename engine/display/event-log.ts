/** Where the event log goes: a file, or the Automation API's gRPC stream (engine-contract A5). */
import * as fs from "node:fs";
import { GRPC_OPTIONS } from "../../common/grpc-options";
import type { EngineEventPayload } from "../contracts";

export interface EventSink {
  write(event: EngineEventPayload): void;
  /** Resolves when the receiver has all of it. */
  close(): Promise<void>;
}

const silent: EventSink = { write: () => undefined, close: () => Promise.resolve() };

async function grpcSink(address: string, stamp: (event: EngineEventPayload) => string): Promise<EventSink> {
  const grpc = await import("@grpc/grpc-js");
  const { EventsClient } = await import("@pulumi/pulumi/proto/events_grpc_pb.js");
  const { EventRequest } = await import("@pulumi/pulumi/proto/events_pb.js");
  const client = new EventsClient(address, grpc.credentials.createInsecure(), GRPC_OPTIONS);
  let finished: (error?: Error) => void = () => undefined;
  const received = new Promise<void>((resolve, reject) => {
    finished = (error) => (error ? reject(error) : resolve());
  });
  const stream = client.streamEvents((error: Error | null) => finished(error ?? undefined));
  return {
    write: (event) => {
      const request = new EventRequest();
      request.setEvent(stamp(event));
      stream.write(request);
    },
    close: async () => {
      // Half-close, then wait for the acknowledgement: what was not received by then is lost.
      stream.end();
      await received;
      client.close();
    },
  };
}

/** Events as lines of JSON, numbered from 0. */
export function stamper(): (event: EngineEventPayload) => string {
  let sequence = 0;
  return (event) => `${JSON.stringify({ sequence: sequence++, timestamp: Math.floor(Date.now() / 1000), ...event })}\n`;
}

/** @param target a file, `tcp://host:port`, or undefined for none */
export async function openEventLog(target: string | undefined): Promise<EventSink> {
  if (target === undefined) return silent;
  const stamp = stamper();
  if (target.startsWith("tcp://")) return grpcSink(target.slice("tcp://".length), stamp);
  const fd = fs.openSync(target, "a", 0o600);
  return {
    write: (event) => {
      fs.writeSync(fd, stamp(event));
    },
    close: async () => fs.closeSync(fd),
  };
}
