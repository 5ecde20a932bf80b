/** Loaded into a program's process before the SDK (`node --require`): the program starts sooner and means the same. */
import { ENV, readEnv } from "../../common/env";
import { leanStart } from "../../common/lean-start";
import { collectOnly } from "./sdk-diagnostics";

leanStart("program");
collectOnly({ debugMessages: readEnv(ENV.programDebug) !== undefined, promiseTraces: readEnv("PULUMI_DEBUG_PROMISE_LEAKS") !== undefined });
