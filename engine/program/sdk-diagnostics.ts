/**
 * The Pulumi SDK collects, for each resource, what helps to diagnose a program, whether anybody asks for it or not. In a no-change
 * preview of 1,000 resources that was a third of the program's time (docs/engine.md).
 */
import { pathToFileURL } from "node:url";
import { inspect } from "node:util";
import { type Change, changeFunction, changeOnLoad } from "./sdk-on-load";

type Call = (...args: unknown[]) => unknown;

/** A stack trace for each promise, of up to ten frames through the program's source maps. */
const untraced =
  (given: Call): Call =>
  (...args) => {
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    try {
      return given(...args);
    } finally {
      Error.stackTraceLimit = stackTraceLimit;
    }
  };

/** As the SDK reads a frame. */
const FRAME = /^\s*at .* \((?<file>.*):(?<line>[0-9]+):(?<column>[0-9]+)\)$/;

/**
 * Resolves one stack frame, that of the code which makes a resource: the state holds its position. The SDK would look up all frames
 * below it in source maps, too.
 * @param given the SDK's function: takes the number of SDK frames above that frame, and returns positions, that frame's first
 */
const oneFrame = (given: Call): Call =>
  function stackTrace(this: unknown, skip: unknown): unknown {
    const { prepareStackTrace, stackTraceLimit } = Error;
    if (typeof skip !== "number" || prepareStackTrace === undefined) return given.call(this, skip);
    const holder: { stack?: unknown } = {};
    // The SDK counts two of its own, from callsites() on; the frame's caller stays, since it may tell the frame's name.
    Error.stackTraceLimit = skip + 1;
    Error.prepareStackTrace = (error, sites) => prepareStackTrace(error, sites.slice(skip - 1));
    try {
      Error.captureStackTrace(holder, stackTrace);
      const [, frame = ""] = String(holder.stack).split("\n");
      const { file, line, column } = FRAME.exec(frame)?.groups ?? {};
      if (file === undefined || file.startsWith("node:")) return [undefined];
      return [{ uri: pathToFileURL(file).toString(), line: Number(line), column: Number(column) }];
    } finally {
      Object.assign(Error, { prepareStackTrace, stackTraceLimit });
    }
  };

const unsent = (): Call => () => Promise.resolve();

/** A frame in which nothing follows the name of a package: source maps of the SDK make some (`node_modules/@pulumi/resource.ts`). */
const ENDLESS = /node_modules[\\/](@[^\\/\n]*[\\/])?[^\\/\n]*$/m;

/** Node 20's colouring of such a frame never ends: half a minute of processor time until the text is too long. */
const uncolouredWhereEndless =
  (given: Call): Call =>
  (...args) => {
    const [error] = args;
    return error instanceof Error && ENDLESS.test(error.stack ?? "") ? inspect(error) : given(...args);
  };

export interface Wanted {
  /** Messages that `--debug` shows: up to five for each resource, a call each. */
  debugMessages: boolean;
  /** Where promises began that are left over at the end: what the SDK prints with PULUMI_DEBUG_PROMISE_LEAKS. */
  promiseTraces: boolean;
}

const exported =
  (name: string, change: (given: Call) => Call): Change =>
  (module) =>
    changeFunction(module, name, change);

/** From now on, every copy of the SDK that is loaded collects only what is wanted. */
export function collectOnly({ debugMessages, promiseTraces }: Wanted): void {
  changeOnLoad({
    "@pulumi/pulumi/cmd/run/error.js": exported("defaultErrorMessage", uncolouredWhereEndless),
    "@pulumi/pulumi/resource.js": ({ Resource }) => changeFunction(Resource, "stackTrace", oneFrame),
    ...(promiseTraces ? {} : { "@pulumi/pulumi/runtime/debuggable.js": exported("debuggablePromise", untraced) }),
    ...(debugMessages ? {} : { "@pulumi/pulumi/log/index.js": exported("debug", unsent) }),
  });
}
