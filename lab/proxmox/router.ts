import { parameterError } from "./errors";
import type { Pve } from "./model";
import { unescaped } from "./unescaped";

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
  /** Parameters that the lab models beside those of the path. */
  parameters: readonly string[] | typeof CHECKED;
  handler: Handler;
  /** Fields of a reply beside `data`. */
  attributes: (call: Call) => Record<string, unknown>;
  /** Whether it changes something; decided by the handler where it depends. */
  writes: boolean;
}

/** The handler checks every parameter itself, and refuses unknown ones. */
export const CHECKED = "checked by the handler";

/** The API's message about a parameter that it does not have. The lab gives it for one that it does not model, too. */
export const NOT_IN_SCHEMA = "property is not defined in schema and the schema does not allow additional properties";

/**
 * @param path as in the API's documentation: `/nodes/{node}/qemu/{vmid}/config`
 * @param parameters names that the lab models; another one is refused and noted
 */
export function route(method: string, path: string, parameters: Route["parameters"], handler: Handler, attributes: Route["attributes"] = () => ({})): Route {
  const names: string[] = [];
  const pattern = path.replace(/\{(\w+)\}/g, (_, name: string) => {
    names.push(name);
    return "([^/]+)";
  });
  return { method, pattern: new RegExp(`^${pattern}$`), names, parameters, handler, attributes, writes: method !== "GET" };
}

/** @param path still encoded; Proxmox skips empty parts of it */
export function match(routes: readonly Route[], method: string, path: string): { route: Route; path: Record<string, string> } | undefined {
  const parts = path.replace(/\/+/g, "/");
  for (const candidate of routes) {
    const found = candidate.method === method ? candidate.pattern.exec(parts) : null;
    if (found) return { route: candidate, path: Object.fromEntries(candidate.names.map((name, i) => [name, unescaped(found[i + 1] ?? "")])) };
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

/** @throws PveError 400 that names each parameter which the route does not declare */
export function checkDeclared({ parameters: declared }: Route, given: Readonly<Record<string, string>>): void {
  if (declared === CHECKED) return;
  const strange = Object.keys(given).filter((name) => !declared.includes(name));
  if (strange.length > 0) throw parameterError(Object.fromEntries(strange.map((name) => [name, NOT_IN_SCHEMA])));
}
