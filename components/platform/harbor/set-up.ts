/**
 * Sets up a Harbor: projects, the registries that they proxy, retention rules, and robot accounts. What the task names is made or changed;
 * what it does not name is left alone. Source of paths and fields: Harbor's API description (api/v2.0/swagger.yaml of goharbor/harbor).
 */
import { z } from "zod";
import type { Clock } from "../../../common/clock";
import { HomelabError } from "../../../common/errors";
import { createHttpClient, type HttpClient } from "../../../common/http";
import { type Attempt, retry } from "../../../common/retry";
import { taskInput } from "../../../common/task-input";

const taskSchema = z.strictObject({
  /** `https://registry.example.org` */
  address: z.url(),
  password: z.string(),
  projects: z.array(
    z.strictObject({
      name: z.string(),
      public: z.boolean(),
      keep: z.number().optional(),
      limit: z.string().optional(),
      proxyOf: z.strictObject({ name: z.string(), kind: z.string(), url: z.string() }).optional(),
    }),
  ),
  robots: z.array(z.strictObject({ name: z.string(), projects: z.record(z.string(), z.enum(["pull", "push"])), secret: z.string() })),
});
export type HarborTask = z.input<typeof taskSchema>;
type Project = HarborTask["projects"][number];
type Robot = HarborTask["robots"][number];

const READY_MS = 5 * 60_000;
const PAGE = 100;
const GIB = { Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40 } as const;
/** Pattern that matches every tag, and every repository. */
const EVERY = { kind: "doublestar", pattern: "**" } as const;

const projectSchema = z.object({ project_id: z.number(), metadata: z.object({ public: z.string(), retention_id: z.string().optional() }) });
const quotaSchema = z.array(z.object({ id: z.number(), hard: z.object({ storage: z.number() }) }));
const ruleSchema = z.object({ template: z.string(), params: z.record(z.string(), z.unknown()) });
const retentionSchema = z.object({ id: z.number(), rules: z.array(ruleSchema) });
const registrySchema = z.array(z.object({ id: z.number(), name: z.string(), url: z.string(), type: z.string() }));
const accessSchema = z.array(z.object({ resource: z.string(), action: z.string() }));
const robotSchema = z.object({ id: z.number(), name: z.string(), permissions: z.array(z.object({ namespace: z.string(), access: accessSchema })) });

/** `10Gi` in bytes; without a size -1, which means no limit in Harbor. */
function bytes(size: string | undefined): number {
  const [, number, unit] = /^(\d+)(Mi|Gi|Ti)$/.exec(size ?? "") ?? [];
  return number === undefined ? -1 : Number(number) * GIB[unit as keyof typeof GIB];
}

const retentionOf = (projectId: number, keep: number) => ({
  algorithm: "or",
  rules: [
    {
      disabled: false,
      action: "retain",
      template: "latestPushedK",
      params: { latestPushedK: keep },
      tag_selectors: [{ ...EVERY, decoration: "matches", extras: '{"untagged":true}' }],
      scope_selectors: { repository: [{ ...EVERY, decoration: "repoMatches" }] },
    },
  ],
  // Each night at 2:00. The first field is the second.
  trigger: { kind: "Schedule", settings: { cron: "0 0 2 * * *" } },
  scope: { level: "project", ref: projectId },
});

const accessOf = (may: "pull" | "push") => (may === "push" ? ["pull", "push"] : ["pull"]).map((action) => ({ resource: "repository", action }));
const permissionsOf = ({ projects }: Robot) => Object.entries(projects).map(([namespace, may]) => ({ kind: "project", namespace, access: accessOf(may) }));

/** Permissions as a text that does not depend on their order. */
const fingerprint = (permissions: readonly { namespace: string; access: readonly { resource: string; action: string }[] }[]): string =>
  permissions
    .flatMap(({ namespace, access }) => access.map(({ resource, action }) => `${namespace} ${resource} ${action}`))
    .toSorted()
    .join("\n");

class HarborApi {
  readonly changed: string[] = [];
  readonly #http: HttpClient;

  constructor(
    private readonly address: string,
    private readonly password: string,
  ) {
    this.#http = createHttpClient(address);
  }

  close(): Promise<void> {
    return this.#http.close();
  }

  async #ask(method: string, path: string, given?: object): Promise<{ status: number; body: unknown; said: string }> {
    const answer = await this.#http.request({
      method,
      url: `${this.address}/api/v2.0/${path}`,
      headers: {
        authorization: `Basic ${Buffer.from(`admin:${this.password}`).toString("base64")}`,
        accept: "application/json",
        ...(given === undefined ? {} : { "content-type": "application/json" }),
        // The path has a project's name, also where that is a number: without this header, Harbor would take it for an id.
        ...(path.startsWith("projects/") ? { "x-is-resource-name": "true" } : {}),
      },
      ...(given === undefined ? {} : { body: JSON.stringify(given) }),
    });
    let body: unknown;
    try {
      body = answer.body === "" ? undefined : JSON.parse(answer.body);
    } catch {
      body = answer.body;
    }
    const errors = z.object({ errors: z.array(z.object({ message: z.string() })) }).safeParse(body);
    return { status: answer.status, body, said: errors.data?.errors.map(({ message }) => message).join("; ") ?? `status ${answer.status}` };
  }

  #fault(what: string, status: number, said: string): HomelabError {
    return new HomelabError("E_HARBOR", `Harbor at ${this.address}: ${what}: ${said}`, {
      subject: this.address,
      hint:
        status === 401
          ? "its user admin has another password than secrets/, which Harbor reads at its first start only. Write the current password into secrets/, or set that of secrets/ in Harbor"
          : "look at the logs of its core (kubectl -n harbor logs deployment/harbor-core), and run the stack again",
    });
  }

  /** @returns undefined where there is no such thing */
  async get<T>(schema: z.ZodType<T>, path: string, what: string): Promise<T | undefined> {
    const { status, body, said } = await this.#ask("GET", path);
    if (status === 404) return undefined;
    if (status !== 200) throw this.#fault(`${what} cannot be read`, status, said);
    const parsed = schema.safeParse(body);
    if (!parsed.success) throw this.#fault(`${what} is not of the form that its API describes`, status, z.prettifyError(parsed.error));
    return parsed.data;
  }

  async change(method: "POST" | "PUT" | "PATCH", path: string, body: object, what: string): Promise<unknown> {
    const answer = await this.#ask(method, path, body);
    if (answer.status >= 300) throw this.#fault(`${what} cannot be ${method === "POST" ? "made" : "changed"}`, answer.status, answer.said);
    this.changed.push(what);
    return answer.body;
  }

  /** Waits until Harbor reports that it is healthy. */
  async ready(clock: Clock): Promise<void> {
    const health = z.object({ status: z.string() });
    const again = ({ outcome, elapsedMs, backoffMs }: Attempt<string>): number | undefined =>
      ("value" in outcome && outcome.value === "healthy") || elapsedMs + backoffMs > READY_MS ? undefined : backoffMs;
    const state = await retry(
      async () => {
        const { status, body } = await this.#ask("GET", "health");
        return health.safeParse(body).data?.status ?? `status ${status}`;
      },
      { clock, firstMs: 500, longestMs: 5_000, again },
    );
    if (state !== "healthy") throw this.#fault(`it is not healthy within ${READY_MS / 60_000} minutes`, 0, state);
  }
}

async function registryId(api: HarborApi, { name, kind, url }: NonNullable<Project["proxyOf"]>): Promise<number> {
  const what = `the registry ${name}`;
  const find = async () => (await api.get(registrySchema, `registries?page_size=${PAGE}`, what))?.find((one) => one.name === name);
  const known = await find();
  if (known === undefined) {
    await api.change("POST", "registries", { name, type: kind, url, insecure: false }, what);
    const made = await find();
    if (made === undefined) throw new HomelabError("E_HARBOR", `Harbor has accepted ${what}, but does not list it`, { subject: name });
    return made.id;
  }
  if (known.type !== kind)
    throw new HomelabError("E_HARBOR", `${what} of Harbor is of the kind ${known.type}, and not ${kind}`, {
      subject: name,
      hint: "the kind of a registry cannot change: delete it there, with the projects that keep its copies",
    });
  if (known.url !== url) await api.change("PUT", `registries/${known.id}`, { name, url, insecure: false }, what);
  return known.id;
}

async function setProject(api: HarborApi, { name, public: isPublic, keep, limit, proxyOf }: Project): Promise<void> {
  const what = `the project ${name}`;
  const read = () => api.get(projectSchema, `projects/${name}`, what);
  const metadata = { public: String(isPublic) };
  const known = await read();
  if (known === undefined) {
    const registry = proxyOf === undefined ? {} : { registry_id: await registryId(api, proxyOf) };
    await api.change("POST", "projects", { project_name: name, metadata, storage_limit: bytes(limit), ...registry }, what);
  } else {
    if (proxyOf !== undefined) await registryId(api, proxyOf);
    if (known.metadata.public !== metadata.public) await api.change("PUT", `projects/${name}`, { metadata }, what);
  }
  const project = known ?? (await read());
  if (project === undefined) throw new HomelabError("E_HARBOR", `Harbor has accepted ${what}, but does not show it`, { subject: name });
  const [quota] = (await api.get(quotaSchema, `quotas?reference=project&reference_id=${project.project_id}`, `the limit of ${what}`)) ?? [];
  if (quota !== undefined && quota.hard.storage !== bytes(limit))
    await api.change("PUT", `quotas/${quota.id}`, { hard: { storage: bytes(limit) } }, `the limit of ${what}`);
  if (keep !== undefined) await setRetention(api, what, project, keep);
}

async function setRetention(api: HarborApi, project: string, { project_id, metadata }: z.output<typeof projectSchema>, keep: number): Promise<void> {
  const what = `the retention of ${project}`;
  const wanted = retentionOf(project_id, keep);
  if (metadata.retention_id === undefined) {
    await api.change("POST", "retentions", wanted, what);
    return;
  }
  const known = await api.get(retentionSchema, `retentions/${metadata.retention_id}`, what);
  const [rule, ...others] = known?.rules ?? [];
  if (rule?.template === "latestPushedK" && rule.params["latestPushedK"] === keep && others.length === 0) return;
  await api.change("PUT", `retentions/${metadata.retention_id}`, { id: Number(metadata.retention_id), ...wanted }, what);
}

async function setRobot(api: HarborApi, robot: Robot): Promise<void> {
  const what = `the account ${robot.name}`;
  const permissions = permissionsOf(robot);
  const list = async () => (await api.get(z.array(robotSchema), `robots?page_size=${PAGE}`, what))?.find(({ name }) => name === `robot$${robot.name}`);
  let known = await list();
  const body = { name: robot.name, description: "of the homelab's program", level: "system", disable: false, duration: -1, permissions };
  if (known === undefined) {
    await api.change("POST", "robots", body, what);
    known = await list();
  } else if (fingerprint(known.permissions) !== fingerprint(permissions)) {
    await api.change("PUT", `robots/${known.id}`, { ...body, id: known.id, name: known.name }, what);
  }
  if (known === undefined) throw new HomelabError("E_HARBOR", `Harbor has accepted ${what}, but does not list it`, { subject: robot.name });
  // Harbor does not return the secret, so it cannot be compared. Setting it again changes nothing.
  await api.change("PATCH", `robots/${known.id}`, { secret: robot.secret }, `the secret of ${what}`);
}

/**
 * @param input the task as JSON
 * @returns what was made or changed, in words. Secrets of accounts are among it each time
 * @throws HomelabError E_HARBOR, E_HTTP, E_USAGE
 */
export async function setUpHarbor(input: string, clock: Clock): Promise<string[]> {
  const { address, password, projects, robots } = taskInput(taskSchema, input);
  const api = new HarborApi(address.replace(/\/+$/, ""), password);
  try {
    await api.ready(clock);
    for (const project of projects) await setProject(api, project);
    for (const robot of robots) await setRobot(api, robot);
    return api.changed;
  } finally {
    await api.close();
  }
}
