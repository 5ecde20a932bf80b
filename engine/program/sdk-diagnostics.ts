/**
 * The Pulumi SDK collects, for each resource, what helps to diagnose a program, whether anybody asks for it or not. In a no-change
 * preview of 1,000 resources that was a third of the program's time (docs/engine.md).
 */
import Module from "node:module";
import { sep } from "node:path";
import { inspect } from "node:util";

type Call = (...args: unknown[]) => unknown;
/** By the end of a file's name: what becomes of a function that it exports. The SDK's modules look it up there at each call. */
type Changes = Readonly<Record<string, Readonly<Record<string, (given: Call) => Call>>>>;

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

const unsent = (): Call => () => Promise.resolve();

/** A frame in which nothing follows the name of a package: source maps of the SDK make some (`node_modules/@pulumi/resource.ts`). */
const ENDLESS = /node_modules[\\/](@[^\\/\n]*[\\/])?[^\\/\n]*$/m;

/** Node 20 colours such a frame without an end: half a minute of processor time until the text is too long. */
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

/** From now on a copy of the SDK that is loaded, whichever it is, collects nothing but what is wanted. */
export function collectOnly({ debugMessages, promiseTraces }: Wanted): void {
  const wanted: Changes = {
    "@pulumi/pulumi/cmd/run/error.js": { defaultErrorMessage: uncolouredWhereEndless },
    ...(promiseTraces ? {} : { "@pulumi/pulumi/runtime/debuggable.js": { debuggablePromise: untraced } }),
    ...(debugMessages ? {} : { "@pulumi/pulumi/log/index.js": { debug: unsent } }),
  };
  const changes = Object.entries(wanted).map(([name, functions]) => [name.replaceAll("/", sep), Object.entries(functions)] as const);
  const { load } = Module.prototype as NodeJS.Module & { load(file: string): unknown };
  Reflect.set(Module.prototype, "load", function (this: NodeJS.Module, file: string): unknown {
    const result = load.call(this, file);
    const [, functions = []] = changes.find(([end]) => file.endsWith(end)) ?? [];
    for (const [name, change] of functions) {
      const given: unknown = this.exports[name];
      // An SDK that is made otherwise is left as it is.
      if (typeof given === "function") this.exports[name] = change(given as Call);
    }
    return result;
  });
}
