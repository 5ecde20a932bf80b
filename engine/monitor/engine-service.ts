/** The Engine service: logs and the root resource, for programs and plugins. */
import * as pb from "@pulumi/pulumi/proto/engine_pb.js";
import { Empty } from "google-protobuf/google/protobuf/empty_pb.js";
import { STATUS } from "../../common/grpc/messages";
import type { Callback, Handlers } from "../../common/grpc/unary-server";
import { expectedMessage } from "../errors";
import { requireVersion } from "../workspace/version-range";

/** Where messages go. */
interface Diagnostics {
  diagnostic(severity: (typeof SEVERITIES)[number], message: string, urn: string | undefined): void;
}

const SEVERITIES = ["debug", "info", "warning", "error"] as const;

/** @param debug whether debug messages are wanted: the SDK and plugins send several for each resource */
export function engineService(events: Diagnostics, { debug }: { debug: boolean }): Handlers {
  let root = "";
  return {
    log: ({ request }: { request: pb.LogRequest }, callback: Callback<Empty>) => {
      const severity = SEVERITIES[request.getSeverity()] ?? "info";
      if (debug || severity !== "debug") events.diagnostic(severity, request.getMessage(), request.getUrn() || undefined);
      callback(null, new Empty());
    },
    setRootResource: ({ request }: { request: pb.SetRootResourceRequest }, callback: Callback<pb.SetRootResourceResponse>) => {
      root = request.getUrn();
      callback(null, new pb.SetRootResourceResponse());
    },
    getRootResource: (_call: unknown, callback: Callback<pb.GetRootResourceResponse>) => {
      const reply = new pb.GetRootResourceResponse();
      reply.setUrn(root);
      callback(null, reply);
    },
    startDebugging: (_call: unknown, callback: Callback<Empty>) =>
      callback({ code: STATUS.UNIMPLEMENTED, details: "debugging is not supported by the embedded engine" }),
    requirePulumiVersion: ({ request }: { request: pb.RequirePulumiVersionRequest }, callback: Callback<pb.RequirePulumiVersionResponse>) => {
      try {
        requireVersion(request.getPulumiVersionRange());
        callback(null, new pb.RequirePulumiVersionResponse());
      } catch (thrown) {
        callback({ code: STATUS.FAILED_PRECONDITION, details: expectedMessage(thrown) ?? String(thrown) });
      }
    },
  };
}
