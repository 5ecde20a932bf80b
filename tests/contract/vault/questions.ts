/** Makes requests to a Vault as its clients do; clear() removes what they created. */
import { z } from "zod";
import type { VaultAnswer, VaultUnderTest } from "./under-test";

export const authSchema = z.object({ auth: z.object({ client_token: z.string(), accessor: z.string() }).loose() });
export const MERGE_PATCH = { "content-type": "application/merge-patch+json" };
/** The body of a refusal. */
export const errors = (...texts: unknown[]) => ({ errors: texts });

export class Questions {
  readonly #accessors: string[] = [];
  readonly #paths: string[] = [];

  constructor(private readonly vault: () => VaultUnderTest) {}

  readonly call = (method: string, route: string, body?: unknown, token?: string, headers?: Record<string, string>): Promise<VaultAnswer> =>
    this.vault().call(method, route, body, token, headers);

  /** Asks for a token; clear() revokes it. */
  readonly create = async (body: object, token?: string): Promise<VaultAnswer> => {
    const answer = await this.call("POST", "auth/token/create", body, token);
    const made = authSchema.safeParse(answer.body);
    if (made.success) this.#accessors.push(made.data.auth.accessor);
    return answer;
  };

  readonly makeToken = async (body: object) => authSchema.parse((await this.create(body)).body).auth;

  /** Mounts a KV store until clear(). */
  async mount(path: string): Promise<void> {
    this.#paths.push(`sys/mounts/${path}`);
    expect((await this.call("POST", `sys/mounts/${path}`, { type: "kv", options: { version: "2" } })).status).toBe(204);
    // A KV store of version 2 takes a moment until it answers.
    while ((await this.call("GET", `${path}/config`)).status !== 200) await new Promise((resolve) => setTimeout(resolve, 50));
  }

  /** @returns the name; clear() deletes the policy of this name */
  policy(name: string): string {
    this.#paths.push(`sys/policies/acl/${name}`);
    return name;
  }

  async clear(): Promise<void> {
    for (const accessor of this.#accessors) await this.call("POST", "auth/token/revoke-accessor", { accessor });
    for (const path of this.#paths) await this.call("DELETE", path);
  }
}
