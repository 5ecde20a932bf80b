/** Calls of one plugin by gRPC. A failure becomes a ProviderError, which reports the plugin's crash if that was the cause. */
import * as grpc from "@grpc/grpc-js";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import { FAILURE_CODES_KEY, readCodes } from "../../common/failure-codes";
import { GRPC_OPTIONS } from "../../common/grpc-options";
import type { PropertyMap } from "../wire/values";
import { missingKeys, ProviderError, partialOf } from "./provider-error";
import { crashOf, type RunningPlugin } from "./running-plugin";

type Unary<Req, Res> = (request: Req, callback: (error: grpc.ServiceError | null, response: Res) => void) => grpc.ClientUnaryCall;

/** Makes a call without the stack trace that the gRPC library records for its errors: only their messages are shown here. */
function untraced(call: () => unknown): void {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    call();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

export class ProviderCalls {
  readonly service: ResourceProviderClient;
  /** The resources that calls under way are about. */
  readonly #underWay = new Set<readonly PropertyMap[]>();

  constructor(
    private readonly packageName: string,
    private readonly plugin: RunningPlugin,
    /** Hides secrets in what the plugin wrote: those of the given maps, and what else it may know. */
    private readonly redact: (text: string, maps: readonly PropertyMap[]) => string,
  ) {
    this.service = new ResourceProviderClient(plugin.address, grpc.credentials.createInsecure(), GRPC_OPTIONS);
  }

  /** @param maps what the request holds, for the report of a crash */
  async call<Req, Res>(method: Unary<Req, Res>, request: Req, ...maps: PropertyMap[]): Promise<Res> {
    return new Promise((resolve, reject) => {
      this.#underWay.add(maps);
      untraced(() =>
        method.call(this.service, request, (error, response) => {
          if (error?.code !== grpc.status.UNAVAILABLE) this.#underWay.delete(maps);
          if (error === null) {
            resolve(response);
            return;
          }
          const keys = missingKeys(error.metadata);
          const prefix = error.code === grpc.status.UNKNOWN ? "" : `rpc error: code = ${grpc.status[error.code]} desc = `;
          const [raw] = error.metadata?.get(FAILURE_CODES_KEY) ?? [];
          const message = keys.length > 0 ? keys.join("\n") : `${prefix}${error.details}`;
          const failed = new ProviderError(message, error.code, partialOf(error.metadata), false, readCodes(raw?.toString()));
          if (error.code === grpc.status.UNAVAILABLE) void this.#crashOr(failed).then(reject);
          else reject(failed);
        }),
      );
    });
  }

  /** The property maps of calls under way. */
  mapsUnderWay(): PropertyMap[] {
    return [...this.#underWay].flat();
  }

  /** The crash of the plugin, where that is why a call failed. */
  async #crashOr(failed: ProviderError): Promise<ProviderError> {
    const crash = await crashOf(this.plugin, (text) => this.redact(text, this.mapsUnderWay()));
    if (crash === undefined) return failed;
    return new ProviderError(`the plugin of provider ${this.packageName} ${crash}`, failed.code, undefined, true);
  }
}
