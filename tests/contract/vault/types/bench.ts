/** The vault provider with a Vault. What a test creates by it is deleted after the test. */
import type { Values } from "../../../../providers/sdk/values";
import type { State, TestProvider } from "../../../support/test-provider";
import { MOUNT, type VaultUnderTest } from "../under-test";

/** A mount that nothing else in a given Vault has. */
export const KV = `kv-of-${process.pid}`;

export class TypeBench {
  readonly #vault: () => VaultUnderTest;
  #plugin: TestProvider | undefined;
  #made: [string, State][] = [];

  constructor(vault: () => VaultUnderTest) {
    this.#vault = vault;
  }

  get vault(): VaultUnderTest {
    return this.#vault();
  }
  get plugin(): TestProvider {
    if (this.#plugin === undefined) throw new Error("the provider is started before each test");
    return this.#plugin;
  }

  async start(): Promise<void> {
    this.#made = [];
    this.#plugin = await this.vault.plugin();
  }

  /** Deletes what was created, in reverse order. */
  async stop(): Promise<void> {
    for (const [type, state] of this.#made.toReversed()) await this.plugin.delete(type, state);
    await this.plugin.close();
  }

  call(method: string, route: string, body?: unknown) {
    return this.vault.call(method, route, body);
  }

  async make(type: string, news: Values): Promise<State> {
    const state = await this.plugin.make(type, news);
    this.willDelete(type, state);
    return state;
  }
  /** Registers a state for deletion, where an update has moved the resource away from the state of its creation. */
  willDelete(type: string, state: State): void {
    this.#made.push([type, state]);
  }

  kv(): Promise<State> {
    return this.make(MOUNT, { path: KV, type: "kv", options: { version: "2" }, description: "entries" });
  }
}

/** A bench that starts before each test of the surrounding `describe`, and stops after it. */
export function typeBench(vault: () => VaultUnderTest): TypeBench {
  const bench = new TypeBench(vault);
  beforeEach(() => bench.start());
  afterEach(() => bench.stop());
  return bench;
}
