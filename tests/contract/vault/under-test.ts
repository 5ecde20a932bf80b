/** The Vault that the suite works with: the lab's, or a real one. */
import * as http from "node:http";
import * as https from "node:https";
import { createHttpClient } from "../../../common/http";
import { Secret, type Values } from "../../../providers/sdk/values";
import { provider } from "../../../providers/vault/provider";
import { type State, TestProvider } from "../../support/test-provider";

export const MOUNT = "vault:index/mount:Mount";
export const SECRET = "vault:kv/secretV2:SecretV2";
export const POLICY = "vault:index/policy:Policy";
export const TOKEN = "vault:index/token:Token";
export const AUDIT = "vault:index/audit:Audit";
export const BACKEND = "vault:index/authBackend:AuthBackend";
export const CONFIG = "vault:kubernetes/authBackendConfig:AuthBackendConfig";
export const ROLE = "vault:kubernetes/authBackendRole:AuthBackendRole";

/** Its address, and what it supports. */
export interface GivenVault {
  address: string;
  /** A root token; undefined: the Vault is not initialised, and the suite initialises it. */
  token: string | undefined;
  /** Whether it has the auth method `kubernetes`. */
  kubernetes: boolean;
  /** Whether it supports wrapped responses. */
  wraps: boolean;
  /** Lets it reach a port of the test on 127.0.0.1. @returns a function that ends this: other tests may get the same port */
  reach(port: number): () => void;
  close(): Promise<void>;
}

export interface VaultAnswer {
  status: number;
  // Answers have many shapes. Each test asserts what it reads of them.
  body: Record<string, never>;
}

/** Its HTTP API, and the vault provider for it. */
export class VaultUnderTest {
  readonly #http;
  /** The root token; known after the first boot. */
  root = "";

  constructor(readonly given: GivenVault) {
    this.#http = createHttpClient(given.address);
  }

  /** @param token default: the root token; "" = none */
  async call(method: string, route: string, body?: unknown, token = this.root, headers: Record<string, string> = {}): Promise<VaultAnswer> {
    const response = await this.#http.request({
      method,
      url: `${this.given.address}/v1/${route}`,
      headers: { "content-type": "application/json", ...(token === "" ? {} : { "x-vault-token": token }), ...headers },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    return { status: response.status, body: response.body === "" ? {} : JSON.parse(response.body) };
  }

  /** A request whose path is sent as it is: a client's URL has no `..` and no `//` any more. */
  sendAsIs(method: string, target: string, token: string, body?: unknown): Promise<{ status: number; text: string }> {
    const { protocol, hostname, port } = new URL(this.given.address);
    return new Promise((resolve, reject) => {
      const headers = { "content-type": method === "PATCH" ? "application/merge-patch+json" : "application/json", "x-vault-token": token };
      const request = (protocol === "https:" ? https : http).request({ method, hostname, port, path: target, headers }, (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => {
          text += chunk;
        });
        response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
      });
      request.on("error", reject);
      request.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  plugin(token = this.root): Promise<TestProvider> {
    return TestProvider.start(provider, { address: `${this.given.address}/`, token: new Secret(token), skipChildToken: "true" });
  }

  async close(): Promise<void> {
    await this.#http.close();
    await this.given.close();
  }
}

/** Asserts that the same inputs are no change, and that a read gives the same state. */
export async function expectStable(plugin: TestProvider, type: string, state: State, news: Values): Promise<void> {
  const { inputs } = await plugin.check(type, news, state.inputs);
  expect((await plugin.diff(type, state, inputs)).detailed).toEqual({});
  expect(await plugin.read(type, state)).toEqual(state);
}
