/** Resources that must keep their name and provider: otherwise the engine would replace them, and delete all that they hold. */

import { only } from "../tests/support/pulumi-mocks";
import { homelabRuns } from "../tests/support/stack-run";

const { registeredBy } = homelabRuns();

/** Last part of the provider's URN. */
const providerOf = (reference: string | undefined): string | undefined => reference?.split("::").at(-2);

test("the KV mount, the audit log and all entries keep their names and providers", async () => {
  const registered = await registeredBy("tools");
  const named = (type: string, name: string) => {
    const { provider } = only(registered, type, name);
    return [name, providerOf(provider)];
  };
  expect(named("vault:index/mount:Mount", "vault-kv")).toEqual(["vault-kv", "vault-set-up"]);
  expect(named("vault:index/audit:Audit", "vault-audit")).toEqual(["vault-audit", "vault-set-up"]);
  const entries = registered.filter(({ type }) => type === "vault:kv/secretV2:SecretV2");
  expect(entries.map(({ name }) => name)).toEqual(expect.arrayContaining(["vault-entries-cloudflare", "cluster-access-kubeconfig-clusters-tools-kubeconfig"]));
  expect([...new Set(entries.map(({ provider }) => providerOf(provider)))]).toEqual(["vault-provider"]);
  expect(entries.filter(({ name }) => name.startsWith("vault-entries-")).map(({ retainOnDelete }) => retainOnDelete)).not.toContain(false);
});

test("in the other stacks as well", async () => {
  const registered = await registeredBy("dev");
  expect(providerOf(only(registered, "vault:kv/secretV2:SecretV2", "cluster-access-kubeconfig-clusters-dev-kubeconfig").provider)).toBe("vault");
});
