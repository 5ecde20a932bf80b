import Module from "node:module";
import { sep } from "node:path";

/** Changes the exports of a module of the SDK or of one of its libraries. Other modules look the functions up there at each call. */
export type Change = (exported: Record<string, unknown>, module: NodeJS.Module) => void;

/** From now on, every copy of such a file is changed when it is loaded. @param changes by the end of a file's name */
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

/** Changes one function. Where the SDK's version does not have it, nothing is changed. */
export function changeFunction(holder: unknown, name: string, change: (given: Call) => Call): void {
  if ((typeof holder !== "object" && typeof holder !== "function") || holder === null) return;
  const given: unknown = Reflect.get(holder, name);
  if (typeof given === "function") Reflect.set(holder, name, change(given as Call));
}
