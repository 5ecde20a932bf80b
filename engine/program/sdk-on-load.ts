import Module from "node:module";
import { sep } from "node:path";

/** What becomes of what a module of the SDK, or of a library of its, exports. Others look it up there at each call. */
export type Change = (exported: Record<string, unknown>, module: NodeJS.Module) => void;

/** From now on a copy of such a file that is loaded, whichever it is, is changed. @param changes by the end of a file's name */
export function changeOnLoad(changes: Readonly<Record<string, Change>>): void {
  const byEnd = Object.entries(changes).map(([end, change]) => [end.replaceAll("/", sep), change] as const);
  const { load } = Module.prototype as NodeJS.Module & { load(file: string): unknown };
  Reflect.set(Module.prototype, "load", function (this: NodeJS.Module, file: string): unknown {
    const result = load.call(this, file);
    const [, change] = byEnd.find(([end]) => file.endsWith(end)) ?? [];
    change?.(this.exports as Record<string, unknown>, this);
    return result;
  });
}

type Call = (...args: unknown[]) => unknown;

/** Changes one function. A copy that is made otherwise is left as it is. */
export function changeFunction(holder: unknown, name: string, change: (given: Call) => Call): void {
  if ((typeof holder !== "object" && typeof holder !== "function") || holder === null) return;
  const given: unknown = Reflect.get(holder, name);
  if (typeof given === "function") Reflect.set(holder, name, change(given as Call));
}
