/** A Vault that a chapter of the suite works with: the lab's, or a real one. */
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

/** Where it is and what it has. */
export interface GivenVault {
  address: string;
  /** A token that may do everything; undefined: the Vault was never initialised, and the suite boots it. */
  token: string | undefined;
  /** Whether it has the auth method `kubernetes`. */
  kubernetes: boolean;
  /** Whether it hands answers over wrapped. */
  wraps: boolean;
  /** Lets it reach a port of the test's own on 127.0.0.1. @returns how that ends: ports come again */
  reach(port: number): () => void;
  close(): Promise<void>;
}

export interface VaultAnswer {
  status: number;
  // Answers have many shapes; tests look at what they assert.
  body: Record<string, never>;
}

/** Its HTTP API, and the vault provider before it. */
export class VaultUnderTest {
  readonly #http;
  /** A token that may do everything; known once the suite has booted it. */
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

  plugin(token = this.root): Promise<TestProvider> {
    return TestProvider.start(provider, { address: `${this.given.address}/`, token: new Secret(token), skipChildToken: "true" });
  }

  async close(): Promise<void> {
    await this.#http.close();
    await this.given.close();
  }
}

/** The same inputs again are no change, after a refresh as well, and the refresh finds what the state says. */
export async function expectStable(plugin: TestProvider, type: string, state: State, news: Values): Promise<void> {
  const { inputs } = await plugin.check(type, news, state.inputs);
  expect((await plugin.diff(type, state, inputs)).detailed).toEqual({});
  expect(await plugin.read(type, state)).toEqual(state);
}
