import type { Pve } from "./model";

/** One call of the API. */
export interface Call {
  pve: Pve;
  /** `{node}` and the like, from the path. */
  path: Readonly<Record<string, string>>;
  /** From the query and from the form- or JSON-encoded body. */
  parameters: Readonly<Record<string, string>>;
  /** `homelab@pve!pulumi` */
  user: string;
}

/** @returns the `data` of the reply; undefined = null */
export type Handler = (call: Call) => unknown;

export interface Route {
  method: string;
  pattern: RegExp;
  names: string[];
  handler: Handler;
  /** What a reply tells beside its `data`. */
  attributes: (call: Call) => Record<string, unknown>;
  /** Whether it changes something; decided by the handler where it depends. */
  writes: boolean;
}

/** @param path as in the API's documentation: `/nodes/{node}/qemu/{vmid}/config` */
export function route(method: string, path: string, handler: Handler, attributes: Route["attributes"] = () => ({})): Route {
  const names: string[] = [];
  const pattern = path.replace(/\{(\w+)\}/g, (_, name: string) => {
    names.push(name);
    return "([^/]+)";
  });
  return { method, pattern: new RegExp(`^${pattern}$`), names, handler, attributes, writes: method !== "GET" };
}

export function match(routes: readonly Route[], method: string, path: string): { route: Route; path: Record<string, string> } | undefined {
  for (const candidate of routes) {
    const found = candidate.method === method ? candidate.pattern.exec(path) : null;
    if (found) return { route: candidate, path: Object.fromEntries(candidate.names.map((name, i) => [name, decodeURIComponent(found[i + 1] ?? "")])) };
  }
  return undefined;
}

export function required(call: Call, name: string): string {
  return call.path[name] ?? call.parameters[name] ?? "";
}

/** A change for the records. */
export function recordWrite(call: Call, target: string, action: string, detail?: unknown): void {
  call.pve.ctx.records.add({ system: "proxmox", target, kind: "write", action, ...(detail === undefined ? {} : { detail }) });
  call.pve.ctx.changed();
}
