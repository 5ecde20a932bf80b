/** Sends log lines to the engine, in order, and never fails an operation because of one. */
import * as grpc from "@grpc/grpc-js";
import type { EngineClient } from "@pulumi/pulumi/proto/engine_grpc_pb.js";
import { GRPC_OPTIONS } from "../../common/grpc-options";
import type { Severity } from "./resource";

export interface EngineLog {
  log(severity: Severity, message: string, options: { urn?: string; status?: boolean }): void;
  close(): void;
}

/** @param address host:port of the engine's service; undefined where it gave none: lines are then dropped */
export function createEngineLog(address: string | undefined): EngineLog {
  let client: EngineClient | undefined;
  return {
    log(severity, message, { urn, status }) {
      if (address === undefined || address === "") return;
      // Most instances never log: the modules are loaded with the first line.
      const pb = require("@pulumi/pulumi/proto/engine_pb.js") as typeof import("@pulumi/pulumi/proto/engine_pb.js");
      const { EngineClient } = require("@pulumi/pulumi/proto/engine_grpc_pb.js") as typeof import("@pulumi/pulumi/proto/engine_grpc_pb.js");
      client ??= new EngineClient(address, grpc.credentials.createInsecure(), GRPC_OPTIONS);
      const request = new pb.LogRequest();
      request.setSeverity({ debug: 0, info: 1, warning: 2, error: 3 }[severity] as 0 | 1 | 2 | 3);
      request.setMessage(message);
      request.setUrn(urn ?? "");
      request.setEphemeral(status === true);
      client.log(request, (error: grpc.ServiceError | null) => {
        if (error !== null && error.code !== grpc.status.UNAVAILABLE && error.code !== grpc.status.CANCELLED) {
          process.stderr.write(`the engine did not take a log line: ${error.details}\n`);
        }
      });
    },
    close() {
      client?.close();
    },
  };
}
