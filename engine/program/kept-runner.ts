/**
 * A process that runs the program for one stack after another (kept-program.ts), by the SDK's own runner each time. Packages stay loaded
 * between two runs; the program's own modules, the runner and the SDK's settings are made anew, so that nothing of one stack is left
 * for the next. Where a run does not end as well as can be, the process ends as a process for one stack does.
 */
import { createRequire } from "node:module";
import { z } from "zod";
import { replaceOwnEnv } from "../../common/env";
import { changeFunction, changeOnLoad } from "./sdk-on-load";

const requestSchema = z.strictObject({
  /** The SDK's `cmd/run`. */
  runner: z.string(),
  args: z.array(z.string()),
  cwd: z.string(),
  /** All of the environment. */
  env: z.record(z.string(), z.string()),
  /** Printed as a line of both streams after all that the program prints; nothing of that holds it. */
  marker: z.string().min(16),
});
type Request = z.infer<typeof requestSchema>;

const PACKAGE = /[\\/]node_modules[\\/]/;
const RUNNER = /@pulumi[\\/]pulumi[\\/]cmd[\\/]run[\\/][^\\/]+$/;

type Listener = (...args: unknown[]) => unknown;
type ListenersOf = (event: string | symbol) => Listener[];
const listenersOf = process.rawListeners.bind(process) as unknown as ListenersOf;

/** Of this process itself, whichever program runs. */
const ownListeners = new Set<Listener>();
const ownModules = new Set(Object.keys(require.cache));

let running: Request | undefined;
/** The program has told the engine that it has registered everything, which it does when its event loop is empty. */
let isThrough = false;

changeOnLoad({
  "@pulumi/pulumi/runtime/settings.js": (settings) =>
    changeFunction(settings, "signalAndWaitForShutdown", (signal) => async () => {
      try {
        return await signal();
      } finally {
        isThrough = true;
      }
    }),
});

/** Removes what a run has listened to. @returns what it wants to do at the end of the process */
function forgetListeners(): Listener[] {
  const atExit: Listener[] = [];
  for (const event of process.eventNames())
    for (const listener of listenersOf(event)) {
      if (ownListeners.has(listener)) continue;
      process.removeListener(event as "exit", listener as () => void);
      if (event === "exit") atExit.push(listener);
    }
  return atExit;
}

/** An ES module cannot be loaded twice: what is not required by the runner runs once in a process. */
function canRunAgain(runner: string): boolean {
  const run = require.cache[createRequire(runner).resolve("./run")];
  return run?.children.some(({ filename }) => !PACKAGE.test(filename)) === true;
}

function forgetProgram(): void {
  for (const file of Object.keys(require.cache)) if (!ownModules.has(file) && (!PACKAGE.test(file) || RUNNER.test(file))) delete require.cache[file];
  module.children = module.children.filter(({ filename }) => filename in require.cache);
}

/** The SDK keeps its settings in one object of the process. What packages registered when they were loaded stays: they are not loaded again. */
function renewSettings(runner: string): void {
  const { getGlobalStore, LocalStore } = createRequire(runner)("../../runtime/state") as {
    getGlobalStore(): { resourcePackages: unknown; resourceModules: unknown };
    LocalStore: new () => object;
  };
  const store = getGlobalStore();
  const { resourcePackages, resourceModules } = store;
  Object.assign(store, new LocalStore(), { resourcePackages, resourceModules });
  Reflect.deleteProperty(globalThis, "stackResource");
}

/** The SDK looks for leaked promises at the end of the process, which here is the end of each run. It says so once. */
let leakDetector: readonly Listener[] = [];

function findLeakDetector(runner: string): void {
  if (leakDetector.length > 0) return;
  const others = new Set(listenersOf("exit"));
  const { debuggablePromise } = createRequire(runner)("../../runtime/debuggable") as { debuggablePromise(promise: Promise<void>, why: string): unknown };
  debuggablePromise(Promise.resolve(), "the process begins");
  leakDetector = listenersOf("exit").filter((listener) => !others.has(listener));
  for (const listener of leakDetector) ownListeners.add(listener);
}

function run(request: Request): void {
  const { runner, args, cwd, env } = request;
  running = request;
  isThrough = false;
  replaceOwnEnv(env);
  process.chdir(cwd);
  process.argv = [process.execPath, runner, ...args];
  // From now on only the program keeps the process going, so that it ends when nothing of the program is under way.
  process.channel?.unref();
  // It only begins in this turn of the event loop, and reads its settings afterwards.
  require(runner);
  findLeakDetector(runner);
  renewSettings(runner);
}

function end({ runner, marker }: Request): void {
  running = undefined;
  const isReusable = canRunAgain(runner);
  for (const atExit of [...forgetListeners(), ...leakDetector]) atExit.call(process, 0);
  if (!isReusable || (process.exitCode ?? 0) !== 0 || !process.connected) process.exit();
  forgetProgram();
  process.exitCode = undefined;
  for (const stream of [process.stdout, process.stderr]) stream.write(`${marker}\n`);
  process.channel?.ref();
  process.send?.({ ended: marker });
}

process.on("message", (raw) => run(requestSchema.parse(raw)));
process.on("beforeExit", () => {
  if (running !== undefined && isThrough) end(running);
});
for (const event of process.eventNames()) for (const listener of listenersOf(event)) ownListeners.add(listener);
