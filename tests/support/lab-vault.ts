/** The lab's Vault for a test file: a new server for each test, on a clock that the test turns. */
import { createContext, type OwnedContext } from "../../lab/core/context";
import { startVault, type VaultServer } from "../../lab/vault";

export interface VaultReply {
  status: number;
  // Answers have many shapes. Each test asserts what it reads of them.
  body: Record<string, never>;
}

export class LabVault {
  /** Milliseconds since the epoch. */
  now = 0;
  #ctx: OwnedContext | undefined;
  #server: VaultServer | undefined;

  get ctx(): OwnedContext {
    if (this.#ctx === undefined) throw new Error("the Vault of the test was not started");
    return this.#ctx;
  }

  get server(): VaultServer {
    if (this.#server === undefined) throw new Error("the Vault of the test was not started");
    return this.#server;
  }

  readonly start = async (): Promise<void> => {
    this.now = Date.parse("2026-01-01T00:00:00Z");
    this.#ctx = await createContext({ clock: { now: () => this.now, sleep: async () => undefined } });
    this.#server = await startVault("tools/vault/vault-0", this.#ctx);
  };

  readonly stop = (): Promise<void> => this.server.stop();

  readonly call = async (
    method: string,
    path: string,
    body?: unknown,
    token?: string,
    server = this.server,
    type = "application/json",
  ): Promise<VaultReply> => {
    const response = await fetch(`http://127.0.0.1:${server.port}/v1/${path}`, {
      method,
      headers: { "content-type": type, ...(token === undefined ? {} : { "x-vault-token": token }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: text === "" ? {} : JSON.parse(text) };
  };

  /** @returns the root token */
  readonly open = async (server = this.server): Promise<string> => {
    const { body } = await this.call("PUT", "sys/init", { secret_shares: 1, secret_threshold: 1 }, undefined, server);
    await this.call("PUT", "sys/unseal", { key: body["keys"]?.[0] }, undefined, server);
    return String(body["root_token"]);
  };

  readonly mountKv = (root: string): Promise<VaultReply> => this.call("POST", "sys/mounts/kv", { type: "kv", options: { version: "2" } }, root);

  readonly writes = (): string[] =>
    this.ctx.records
      .since()
      .filter(({ kind }) => kind === "write")
      .map(({ action }) => action);

  readonly unhandled = (): string[] => this.ctx.unhandled.all().map(({ what }) => what);
}
