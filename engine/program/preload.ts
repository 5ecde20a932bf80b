/** Loaded into a program's process before the SDK (`node --require`): the program starts sooner and means the same. */
import type * as structs from "google-protobuf/google/protobuf/struct_pb.js";
import { ENV, readEnv } from "../../common/env";
import { SHARE_NO_CONNECTION } from "../../common/grpc-options";
import { leanStart } from "../../common/lean-start";
import { makeStructQuick } from "../../common/quick-struct";
import { unaryMonitor } from "./monitor-client";
import { collectOnly } from "./sdk-diagnostics";
import { changeOnLoad } from "./sdk-on-load";

leanStart("program");
collectOnly({ debugMessages: readEnv(ENV.programDebug) !== undefined, promiseTraces: readEnv("PULUMI_DEBUG_PROMISE_LEAKS") !== undefined });
changeOnLoad({
  // A process may run the program for one stack after another, each with an engine at another port.
  "@pulumi/pulumi/runtime/settings.js": ({ grpcChannelOptions, grpcClientOptions }) => {
    for (const options of [grpcChannelOptions, grpcClientOptions]) Object.assign(options ?? {}, SHARE_NO_CONNECTION);
  },
  "google-protobuf/google/protobuf/struct_pb.js": ({ Struct }, module) => makeStructQuick(Struct as typeof structs.Struct, module.require("google-protobuf")),
  // In a trace, the library's client carries it on.
  ...(readEnv("TRACEPARENT") === undefined ? { "@pulumi/pulumi/proto/resource_grpc_pb.js": unaryMonitor } : {}),
});
