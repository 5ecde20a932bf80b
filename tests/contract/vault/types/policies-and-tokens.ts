/** Policies and tokens by the vault provider: what each type makes, what it reads back, and what it refuses. */
import { Secret } from "../../../../providers/sdk/values";
import { expectStable, POLICY, TOKEN } from "../under-test";
import type { TypeBench } from "./bench";

// A name that nothing else in a given Vault has.
const READERS = `readers-of-${process.pid}`;

export function policiesAndTokens(bench: TypeBench): void {
  test("a policy, and a token that has it", async () => {
    const policyText = 'path "kv/data/*" { capabilities = ["read"] }';
    const policy = await bench.make(POLICY, { name: READERS, policy: policyText });
    expect(policy.id).toBe(READERS);
    await expectStable(bench.plugin, POLICY, policy, { name: READERS, policy: policyText });
    const news = { policies: [READERS], displayName: "program", noParent: true, renewable: true, period: "768h", renewMinLease: 60, renewIncrement: 3600 };
    const token = await bench.make(TOKEN, news);
    expect(token.outputs).toMatchObject({
      policies: [READERS],
      displayName: "program",
      noParent: true,
      renewable: true,
      leaseDuration: 2_764_800,
      clientToken: expect.any(Secret),
      period: "768h",
    });
    expect(token.id).not.toBe("");
    await expectStable(bench.plugin, TOKEN, token, news);
    expect(await bench.plugin.diff(TOKEN, token, { ...token.inputs, period: "24h" })).toMatchObject({ replaces: ["period"] });
    await bench.plugin.delete(TOKEN, token);
    await bench.plugin.delete(TOKEN, token);
    expect(await bench.plugin.read(TOKEN, token)).toBeUndefined();
    await bench.plugin.delete(POLICY, policy);
    expect((await bench.call("GET", `sys/policies/acl/${READERS}`)).status).toBe(404);
  });

  test("a policy changes in place; an empty one is refused, as Vault does", async () => {
    const policy = await bench.make(POLICY, { name: READERS, policy: "# none" });
    const next = { ...policy.inputs, policy: 'path "a" { capabilities = ["read"] }' };
    expect(await bench.plugin.diff(POLICY, policy, next)).toMatchObject({ replaces: [] });
    expect((await bench.plugin.update(POLICY, policy, next)).outputs["policy"]).toBe(next.policy);
    await expect(bench.plugin.update(POLICY, policy, { ...policy.inputs, policy: "" })).rejects.toMatchObject({
      details: expect.stringContaining("400: 'policy' parameter not supplied or empty"),
    });
    await expect(bench.make(POLICY, { name: `${READERS}2`, policy: 'path "a" { capabilities = ["fly"] }' })).rejects.toMatchObject({
      details: expect.stringContaining('invalid capability "fly"'),
    });
  });

  test("a token with a maximum lifetime, a number of uses and metadata", async () => {
    const news = { policies: ["default"], ttl: "1h", explicitMaxTtl: "2h", numUses: 5, metadata: { for: "a test" }, renewable: false };
    const token = await bench.make(TOKEN, news);
    expect(token.outputs).toMatchObject({ leaseDuration: 3600, numUses: 5, renewable: false, noParent: false });
    expect((await bench.plugin.read(TOKEN, token))?.outputs).toMatchObject({ metadata: { for: "a test" }, numUses: 5 });
    // A token that somebody else revoked reads as gone, without an error.
    await bench.call("POST", "auth/token/revoke-accessor", { accessor: token.id });
    expect(await bench.plugin.read(TOKEN, token)).toBeUndefined();
  });

  test("a token in a wrapped response", async () => {
    if (!bench.vault.given.wraps) return;
    const token = await bench.make(TOKEN, { policies: ["default"], ttl: "1h", wrappingTtl: "60s" });
    expect(token.outputs).toMatchObject({ wrappedToken: expect.any(Secret), wrappingAccessor: expect.any(Secret) });
    expect((await bench.plugin.read(TOKEN, token))?.outputs).toMatchObject({ leaseDuration: 3600 });
  });

  test("a token that ends soon is renewed when it is read", async () => {
    const token = await bench.make(TOKEN, { ttl: "1h", renewMinLease: 7200, renewIncrement: 3600 });
    expect(token.outputs["leaseDuration"]).toBe(3600);
    const read = await bench.plugin.read(TOKEN, token);
    expect(read?.outputs["clientToken"]).toEqual(token.outputs["clientToken"]);
  });

  test("a missing permission is reported with Vault's message, without the token", async () => {
    const other = await bench.vault.plugin("hvs.not-a-token-at-all");
    const thrown = await other.make(POLICY, { name: "p", policy: "" }).catch((error: unknown) => error);
    expect(thrown).toMatchObject({ details: expect.stringMatching(/^Vault: PUT sys\/policies\/acl\/p: 403: (1 error occurred:\s+\* )?permission denied/) });
    expect(String(thrown)).not.toContain("not-a-token");
    await other.close();
  });
}
