/** The program of `pulumi import`: registers what is to be imported, and nothing else. Talks to the monitor as any program does. */
import * as grpc from "@grpc/grpc-js";
import { ResourceMonitorClient } from "@pulumi/pulumi/proto/resource_grpc_pb.js";
import * as pb from "@pulumi/pulumi/proto/resource_pb.js";
import { GRPC_OPTIONS } from "../../common/grpc-options";
import { UNKNOWN } from "../../common/signatures";
import type { ImportSpec } from "../contracts";
import { toStruct } from "../wire/struct";
import { STACK_TYPE } from "../wire/urn";
import type { ProgramEnd, RunningProgram } from "./running-program";

export interface ImportFacts {
  address: string;
  project: string;
  stack: string;
  imports: readonly ImportSpec[];
}

/** @param made IDs of the providers that were made, by URN */
function requestFor(spec: ImportSpec, stackUrn: string, made: ReadonlyMap<string, string>): pb.RegisterResourceRequest {
  const request = new pb.RegisterResourceRequest();
  request.setType(spec.type);
  request.setName(spec.name);
  request.setCustom(spec.id !== undefined || spec.inputs !== undefined);
  if (spec.inputs !== undefined) request.setObject(toStruct(spec.inputs));
  request.setParent(spec.parent ?? stackUrn);
  request.setProtect(spec.protect);
  request.setImportid(spec.id ?? "");
  const { provider } = spec;
  // An ID that a preview does not know yet is none on the wire.
  request.setProvider(provider === undefined ? "" : `${provider.urn}::${provider.id ?? (made.get(provider.urn) || UNKNOWN)}`);
  request.setVersion(spec.version ?? "");
  request.setPlugindownloadurl(spec.pluginDownloadUrl ?? "");
  request.setAcceptsecrets(true);
  request.setSupportspartialvalues(true);
  return request;
}

/** In the given order: a parent stands before its children. */
export function runImports({ address, project, stack, imports }: ImportFacts): RunningProgram {
  const client = new ResourceMonitorClient(address, grpc.credentials.createInsecure(), GRPC_OPTIONS);
  const register = (request: pb.RegisterResourceRequest): Promise<pb.RegisterResourceResponse> =>
    new Promise((resolve, reject) => client.registerResource(request, (error, reply) => (error === null ? resolve(reply) : reject(error))));
  const run = async (): Promise<ProgramEnd> => {
    const root = new pb.RegisterResourceRequest();
    root.setType(STACK_TYPE);
    root.setName(`${project}-${stack}`);
    const stackUrn = (await register(root)).getUrn();
    const made = new Map<string, string>();
    for (const spec of imports) {
      const reply = await register(requestFor(spec, stackUrn, made));
      if (spec.inputs !== undefined) made.set(reply.getUrn(), reply.getId());
    }
    return { kind: "done" };
  };
  return {
    // A failed registration was shown on its resource already.
    end: run()
      .catch((): ProgramEnd => ({ kind: "bail" }))
      .finally(() => client.close()),
    kill: () => client.close(),
  };
}
