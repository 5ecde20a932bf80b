/** Fills a Vault as the program does: the vault provider creates the resources that the stack `tools` registers, with the program's tokens. */
import { Provider } from "@pulumi/vault/provider";
import { VaultGrants } from "../../../components/platform/vault/vault-grants";
import type { StackGrant } from "../../../components/platform/vault/vault-names";
import type { Values } from "../../../providers/sdk/values";
import { Secret } from "../../../providers/sdk/values";
import { mockEngine, plain, settle } from "../../support/pulumi-mocks";
import type { State, TestProvider } from "../../support/test-provider";
import { TOKEN, type VaultUnderTest } from "./under-test";

/** The resources that the program registers for these grants, in order. */
async function registered(grants: readonly StackGrant[]): Promise<{ type: string; inputs: Values }[]> {
  const all = await mockEngine({ stack: "tools" });
  new VaultGrants("grants", { grants }, { providers: { vault: new Provider("vault", { address: "https://vault" }) } });
  await settle(all);
  return all.filter(({ type }) => type.startsWith("vault:")).map(({ type, inputs }) => ({ type, inputs: plain(inputs) as Values }));
}

export interface Estate {
  /** The token of each stack. */
  tokens: Map<string, string>;
  /** Removes all of it. */
  remove(): Promise<void>;
}

/** @param manager token of the stack that manages Vault */
export async function buildEstate(vault: VaultUnderTest, manager: string, grants: readonly StackGrant[]): Promise<Estate> {
  const plugin: TestProvider = await vault.plugin(manager);
  const made: [string, State][] = [];
  const tokens = new Map<string, string>();
  for (const { type, inputs } of await registered(grants)) {
    const state = await plugin.make(type, inputs);
    made.push([type, state]);
    const { clientToken } = state.outputs;
    if (type === TOKEN && clientToken instanceof Secret) tokens.set(String(inputs["displayName"]).replace(/^homelab-stack-/, ""), String(clientToken.value));
  }
  return {
    tokens,
    remove: async () => {
      for (const [type, state] of made.toReversed()) await plugin.delete(type, state);
      await plugin.close();
    },
  };
}
