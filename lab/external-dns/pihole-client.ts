/** How external-dns talks to Pi-hole 6: one session, lists read whole, records put and deleted one by one. */
import { z } from "zod";
import { fetchFromLab } from "../core/fetch";
import type { LabContext } from "../core/world";
import type { Endpoint } from "./plan";

const sessionSchema = z.object({ session: z.object({ valid: z.boolean(), sid: z.string().nullable() }) });
const listsSchema = z.object({
  config: z.object({ dns: z.object({ hosts: z.array(z.string()).optional(), cnameRecords: z.array(z.string()).optional() }) }),
});
const errorSchema = z.object({ error: z.object({ key: z.string(), message: z.string(), hint: z.string().nullable() }) });

export class PiholeClient {
  #sid: string | undefined;

  constructor(
    private readonly ctx: LabContext,
    /** Who asks, for the log of unhandled calls. */
    private readonly from: string,
    private readonly server: string,
    private readonly password: string,
  ) {}

  /** @throws Error when Pi-hole refuses the password */
  async login(): Promise<void> {
    if (this.password === "") return;
    // Put together as text, as the program does: a quote in the password breaks it there too.
    const answer = await this.#send("POST", "/api/auth", `{"password":"${this.password}"}`);
    if (answer.status !== 200) throw failed("POST", "/api/auth", answer);
    this.#sid = sessionSchema.parse(answer.body).session.sid ?? undefined;
  }

  async lists(): Promise<{ hosts: string[]; cnameRecords: string[] }> {
    const read = async (name: "hosts" | "cnameRecords"): Promise<string[]> =>
      listsSchema.parse(await this.#call("GET", `/api/config/dns/${name}`)).config.dns[name] ?? [];
    return { hosts: await read("hosts"), cnameRecords: await read("cnameRecords") };
  }

  put(endpoint: Endpoint): Promise<void> {
    return this.#each("PUT", endpoint);
  }

  remove(endpoint: Endpoint): Promise<void> {
    return this.#each("DELETE", endpoint);
  }

  async #each(method: "PUT" | "DELETE", { name, type, targets }: Endpoint): Promise<void> {
    for (const target of targets) {
      const item = type === "CNAME" ? `cnameRecords/${encodeURIComponent(`${name},${target}`)}` : `hosts/${encodeURIComponent(`${target} ${name}`)}`;
      await this.#call(method, `/api/config/dns/${item}`);
    }
  }

  /** One call with the session, with a new one where it has run out. */
  async #call(method: string, path: string): Promise<unknown> {
    for (let tries = 0; ; tries++) {
      const answer = await this.#send(method, path);
      if ([200, 201, 204].includes(answer.status)) return answer.body;
      const problem = errorSchema.safeParse(answer.body).data?.error;
      if (problem?.message.includes("Item already present") === true) return answer.body;
      if (answer.status === 404 && method === "DELETE") return answer.body;
      if (answer.status !== 401 || this.#sid === undefined || tries > 2) throw failed(method, path, answer);
      await this.login();
    }
  }

  async #send(method: string, path: string, body?: string): Promise<{ status: number; body: unknown }> {
    const headers = { "content-type": "application/json", ...(this.#sid === undefined ? {} : { "x-ftl-sid": this.#sid }) };
    const answer = await fetchFromLab(this.ctx, this.from, new URL(`${this.server}${path}`), {
      method,
      headers,
      body: body === undefined ? undefined : Buffer.from(body),
    });
    const text = answer.body.toString("utf8");
    return { status: answer.status, body: text === "" ? {} : JSON.parse(text) };
  }
}

function failed(method: string, path: string, { status, body }: { status: number; body: unknown }): Error {
  const problem = errorSchema.safeParse(body).data?.error;
  return new Error(`received ${status} status code from request ${method} ${path}: [${problem?.key ?? ""}] ${problem?.message ?? ""} (${problem?.hint ?? ""})`);
}
