/**
 * The API of Harbor, as far as projects, registries, retention, quotas and accounts go. Images are not modelled: requests to `/v2/` are
 * noted. It answers behind the proxy in front of Harbor's parts, and keeps what the real one keeps in its database.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { z } from "zod";
import { acceptedUrl } from "../core/request-url";
import { listenOn } from "../core/server";
import type { LabContext, Persistent, Stoppable } from "../core/world";

const registrySchema = z.object({ id: z.number(), name: z.string(), type: z.string(), url: z.string() });
const projectSchema = z.object({
  id: z.number(),
  name: z.string(),
  public: z.string(),
  storage: z.number(),
  registry: z.number().optional(),
  retention: z.number().optional(),
});
const robotSchema = z.object({ id: z.number(), name: z.string(), secret: z.string(), permissions: z.array(z.unknown()) });
const stateSchema = z.object({
  next: z.number(),
  registries: z.array(registrySchema),
  projects: z.array(projectSchema),
  retentions: z.array(z.object({ id: z.number(), project: z.number(), rules: z.array(z.unknown()), trigger: z.unknown() })),
  robots: z.array(robotSchema),
});
type State = z.output<typeof stateSchema>;

const KINDS = ["docker-hub", "docker-registry", "github-ghcr", "quay", "harbor"];
/** https://goharbor.io/docs/2.15.0/working-with-projects/project-configuration/create-robot-accounts */
const GOOD_SECRET = /^(?=.*[a-z])(?=.*[A-Z])(?=.*\d).{8,128}$/;

class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}
const bad = (message: string): Refusal => new Refusal(400, "BAD_REQUEST", message);
const missing = (what: string): Refusal => new Refusal(404, "NOT_FOUND", `${what} not found`);
const taken = (what: string): Refusal => new Refusal(409, "CONFLICT", `${what} already exists`);

interface Asked {
  method: string;
  path: string;
  query: URLSearchParams;
  body: unknown;
}

/** Something that the real one may take and the lab does not model: refused, and noted. */
class NotModelled extends Refusal {}
const notModelled = (what: string): NotModelled => new NotModelled(404, "NOT_FOUND", `the lab's Harbor does not model ${what}`);

/** A body of that form. @throws Refusal 400; a field or a value that the form does not know is not modelled */
function of<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const { error } = parsed;
  const strange = error.issues.some(({ code }) => code === "unrecognized_keys" || code === "invalid_value");
  throw strange ? new NotModelled(400, "BAD_REQUEST", z.prettifyError(error)) : bad(z.prettifyError(error));
}

/** Parameters of a call, and the values that are modelled where not all are. */
const QUERY: Readonly<Record<string, Readonly<Record<string, RegExp>>>> = {
  "GET registries": { page_size: /^\d+$/ },
  "GET robots": { page_size: /^\d+$/ },
  "GET quotas": { reference: /^project$/, reference_id: /^\d+$/ },
};
/** The first page of a list, as Harbor cuts it: ten where nobody says how many. */
const firstPage = <T>(list: readonly T[], query: URLSearchParams): T[] => list.slice(0, Number(query.get("page_size") ?? 10));
const registryBody = z.strictObject({ name: z.string(), type: z.string().optional(), url: z.string(), insecure: z.boolean().optional() });
const projectBody = z.strictObject({
  project_name: z.string().regex(/^[a-z0-9]+(?:[._-][a-z0-9]+)*$/),
  metadata: z.strictObject({ public: z.enum(["true", "false"]) }),
  storage_limit: z.number(),
  registry_id: z.number().optional(),
});
const retentionBody = z.strictObject({
  id: z.number().optional(),
  algorithm: z.literal("or"),
  rules: z.array(z.looseObject({ action: z.literal("retain"), template: z.string() })).max(15),
  trigger: z.strictObject({ kind: z.literal("Schedule"), settings: z.strictObject({ cron: z.string() }) }),
  scope: z.strictObject({ level: z.literal("project"), ref: z.number() }),
});
const robotBody = z.strictObject({
  id: z.number().optional(),
  name: z.string(),
  description: z.string().optional(),
  level: z.literal("system"),
  disable: z.literal(false).optional(),
  /** An account that ends is not modelled. */
  duration: z.literal(-1),
  permissions: z.array(
    z.strictObject({ kind: z.literal("project"), namespace: z.string(), access: z.array(z.strictObject({ resource: z.string(), action: z.string() })) }),
  ),
});

class Harbor {
  state: State = { next: 2, registries: [], projects: [{ id: 1, name: "library", public: "true", storage: -1 }], retentions: [], robots: [] };

  constructor(
    private readonly name: string,
    private readonly ctx: LabContext,
  ) {}

  #wrote(action: string): void {
    this.ctx.records.add({ system: "harbor", target: this.name, kind: "write", action });
    this.ctx.changed();
  }
  #id(): number {
    return this.state.next++;
  }
  #project(match: (one: State["projects"][number]) => boolean, what: string): State["projects"][number] {
    const found = this.state.projects.find(match);
    if (found === undefined) throw missing(`project ${what}`);
    return found;
  }

  answer({ method, path, query, body }: Asked): { status: number; body?: unknown } {
    const [kind = "", id, ...below] = path.split("/");
    const what = `${method} ${kind}${id === undefined ? "" : "/:id"}`;
    const strange = [...query].find(([name, value]) => QUERY[what]?.[name]?.test(value) !== true);
    if (below.length > 0 || strange !== undefined) throw notModelled(`${method} ${path}${strange === undefined ? "" : ` with ${strange.join("=")}`}`);
    switch (what) {
      case "GET health":
        return { status: 200, body: { status: "healthy", components: [] } };
      case "GET registries":
        return { status: 200, body: firstPage(this.state.registries, query) };
      case "POST registries":
      case "PUT registries/:id":
        return this.#registry(of(registryBody, body), id);
      case "GET projects/:id":
        return { status: 200, body: this.#shown(this.#project(({ name }) => name === id, String(id))) };
      case "POST projects":
        return this.#makeProject(of(projectBody, body));
      case "PUT projects/:id": {
        const project = this.#project(({ name }) => name === id, String(id));
        project.public = of(z.strictObject({ metadata: z.strictObject({ public: z.string() }) }), body).metadata.public;
        this.#wrote(`project ${project.name}`);
        return { status: 200 };
      }
      case "GET quotas": {
        const project = this.#project((one) => one.id === Number(query.get("reference_id")), String(query.get("reference_id")));
        return { status: 200, body: [{ id: project.id, hard: { storage: project.storage }, used: { storage: 0 } }] };
      }
      case "PUT quotas/:id": {
        const project = this.#project((one) => one.id === Number(id), String(id));
        project.storage = of(z.strictObject({ hard: z.strictObject({ storage: z.number() }) }), body).hard.storage;
        this.#wrote(`quota ${project.name}`);
        return { status: 200 };
      }
      case "GET retentions/:id":
      case "POST retentions":
      case "PUT retentions/:id":
        return this.#retention(method, body, id);
      case "GET robots":
        return { status: 200, body: firstPage(this.state.robots, query).map(({ secret: _, ...shown }) => ({ ...shown, level: "system" })) };
      case "POST robots":
      case "PUT robots/:id":
      case "PATCH robots/:id":
        return this.#robot(method, body, id);
      default:
        throw notModelled(`${method} ${path}`);
    }
  }

  #shown({ id, name, public: isPublic, registry, retention }: State["projects"][number]): object {
    const metadata = { public: isPublic, ...(retention === undefined ? {} : { retention_id: String(retention) }) };
    return { project_id: id, name, metadata, ...(registry === undefined ? {} : { registry_id: registry }) };
  }

  #registry({ name, type, url }: z.output<typeof registryBody>, id: string | undefined): { status: number } {
    const known = this.state.registries.find((one) => (id === undefined ? one.name === name : one.id === Number(id)));
    if (id === undefined) {
      if (known !== undefined) throw taken(`registry ${name}`);
      if (type === undefined || !KINDS.includes(type)) throw bad(`adapter for ${type} not found`);
      this.state.registries.push({ id: this.#id(), name, type, url });
    } else {
      if (known === undefined) throw missing(`registry ${id}`);
      Object.assign(known, { name, url });
    }
    this.#wrote(`registry ${name}`);
    return { status: id === undefined ? 201 : 200 };
  }

  #makeProject({ project_name: name, metadata, storage_limit, registry_id }: z.output<typeof projectBody>): { status: number } {
    if (this.state.projects.some((one) => one.name === name)) throw taken(`project ${name}`);
    if (registry_id !== undefined && !this.state.registries.some(({ id }) => id === registry_id)) throw missing(`registry ${registry_id}`);
    const registry = registry_id === undefined ? {} : { registry: registry_id };
    this.state.projects.push({ id: this.#id(), name, public: metadata.public, storage: storage_limit, ...registry });
    this.#wrote(`project ${name}`);
    return { status: 201 };
  }

  #retention(method: string, given: unknown, id: string | undefined): { status: number; body?: unknown } {
    const known = this.state.retentions.find((one) => one.id === Number(id));
    if (method !== "POST" && known === undefined) throw missing(`retention ${id}`);
    if (method === "GET") return { status: 200, body: { id: known?.id, algorithm: "or", rules: known?.rules, trigger: known?.trigger } };
    const { rules, trigger, scope } = of(retentionBody, given);
    const project = this.#project((one) => one.id === scope.ref, String(scope.ref));
    if (known === undefined) {
      if (project.retention !== undefined) throw bad(`project ${project.name} already has retention policy ${project.retention}`);
      project.retention = this.#id();
      this.state.retentions.push({ id: project.retention, project: project.id, rules, trigger });
    } else Object.assign(known, { rules, trigger });
    this.#wrote(`retention ${project.name}`);
    return { status: method === "POST" ? 201 : 200 };
  }

  #robot(method: string, given: unknown, id: string | undefined): { status: number; body?: unknown } {
    const known = this.state.robots.find((one) => one.id === Number(id));
    if (method !== "POST" && known === undefined) throw missing(`robot ${id}`);
    if (method === "PATCH" && known !== undefined) {
      const { secret } = of(z.strictObject({ secret: z.string() }), given);
      if (!GOOD_SECRET.test(secret))
        throw bad("the secret must be 8-128, inclusively, characters long with at least 1 uppercase letter, 1 lowercase letter and 1 number");
      if (known.secret !== secret) this.#wrote(`robot-secret ${known.name}`);
      known.secret = secret;
      return { status: 200, body: { secret: "" } };
    }
    const { name, permissions } = of(robotBody, given);
    for (const { namespace } of permissions) this.#project((one) => one.name === namespace, namespace);
    if (known === undefined) {
      const full = `robot$${name}`;
      if (this.state.robots.some((one) => one.name === full)) throw taken(`robot ${name}`);
      this.state.robots.push({ id: this.#id(), name: full, secret: "Made0ByHarbor", permissions });
    } else if (known.name !== name) throw bad("cannot update the level or name of robot");
    else known.permissions = permissions;
    this.#wrote(`robot ${name}`);
    return { status: method === "POST" ? 201 : 200 };
  }
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const given = await text(request);
  if (given === "") return undefined;
  try {
    return JSON.parse(given) as unknown;
  } catch {
    throw bad('parsing body body from "" failed, because invalid character');
  }
}

export interface HarborServer extends Stoppable, Persistent {
  readonly port: number;
}

/** @param password of its user `admin`, as its core has it at that moment. @param saved what `save` gave */
export async function startHarbor(name: string, ctx: LabContext, { password, saved }: { password: () => string; saved?: unknown }): Promise<HarborServer> {
  const harbor = new Harbor(name, ctx);
  const restore = (state: unknown): void => {
    harbor.state = stateSchema.parse(structuredClone(state));
  };
  if (saved !== undefined) restore(saved);
  const expected = (): string => `Basic ${Buffer.from(`admin:${password()}`).toString("base64")}`;
  const handle = async (request: IncomingMessage, url: URL): Promise<{ status: number; body?: unknown }> => {
    const [, path] = /^\/api\/v2\.0\/(.+)$/.exec(url.pathname) ?? [];
    if (path === undefined) {
      ctx.unhandled.add({ system: "harbor", target: name, what: `${request.method} ${url.pathname}` });
      throw missing(url.pathname);
    }
    const body = await bodyOf(request);
    if (path !== "health" && request.headers.authorization !== expected()) throw new Refusal(401, "UNAUTHORIZED", "unauthorized");
    return harbor.answer({ method: request.method ?? "GET", path: decodeURIComponent(path), query: url.searchParams, body });
  };
  const send = (response: ServerResponse, status: number, body?: unknown): void => {
    response.writeHead(status, { "content-type": "application/json; charset=utf-8" });
    response.end(body === undefined ? "" : JSON.stringify(body));
  };
  const server = createServer((request, response) => {
    const url = acceptedUrl(request, response);
    if (url === undefined) return;
    handle(request, url).then(
      ({ status, body }) => send(response, status, body),
      (thrown: unknown) => {
        if (thrown instanceof NotModelled) ctx.unhandled.add({ system: "harbor", target: name, what: `${request.method} ${request.url}: ${thrown.message}` });
        else if (!(thrown instanceof Refusal)) ctx.unhandled.add({ system: "harbor", target: name, what: `bug: ${String(thrown)}` });
        const { status, code, message } = thrown instanceof Refusal ? thrown : new Refusal(500, "UNKNOWN", "internal server error");
        send(response, status, { errors: [{ code, message }] });
      },
    );
  });
  const port = await listenOn(server, 0);
  return {
    port,
    save: () => structuredClone(harbor.state),
    restore: async (state) => restore(state),
    stop: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
