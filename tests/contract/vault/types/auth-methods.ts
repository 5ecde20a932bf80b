/** Auth methods by the vault provider: what each type makes, what it reads back, and what it refuses. */
import { z } from "zod";
import { createAuthority } from "../../../../lab/core/tls";
import { Secret } from "../../../../providers/sdk/values";
import { serviceAccountToken } from "../service-account";
import { BACKEND, CONFIG, expectStable, ROLE } from "../under-test";
import type { TypeBench } from "./bench";

// A name that nothing else in a given Vault has.
const METHOD = `kubernetes-of-${process.pid}`;

export function authMethods(bench: TypeBench): void {
  test("logins of Kubernetes: auth method, configuration, role", async () => {
    if (!bench.vault.given.kubernetes) return;
    const authority = await createAuthority("conformance");
    const reviewer = serviceAccountToken({ sub: "system:serviceaccount:vault-access:vault-token-reviewer" });
    const backendNews = { type: "kubernetes", path: METHOD, description: "Service accounts of dev" };
    const backend = await bench.make(BACKEND, backendNews);
    expect(backend.id).toBe(METHOD);
    expect(backend.outputs).toMatchObject({ accessor: expect.stringMatching(/^auth_kubernetes_/), path: METHOD });
    // Settings that were not given have Vault's defaults, in the official provider's format.
    expect(backend.outputs["tune"]).toMatchObject({ defaultLeaseTtl: "768h", maxLeaseTtl: "768h" });
    await expectStable(bench.plugin, BACKEND, backend, backendNews);
    const configNews = {
      backend: METHOD,
      kubernetesHost: "https://192.168.1.15:6443",
      kubernetesCaCert: authority.caPem,
      tokenReviewerJwt: reviewer,
      disableLocalCaJwt: true,
    };
    const config = await bench.make(CONFIG, configNews);
    expect(config.id).toBe(`auth/${METHOD}/config`);
    expect(config.outputs).toMatchObject({ backend: METHOD, disableLocalCaJwt: true, tokenReviewerJwt: new Secret(reviewer) });
    await expectStable(bench.plugin, CONFIG, config, configNews);
    const roleNews = {
      backend: METHOD,
      roleName: "apps",
      boundServiceAccountNames: ["eso"],
      boundServiceAccountNamespaces: ["apps"],
      tokenPolicies: ["p1", "p2"],
      tokenTtl: 3600,
    };
    const role = await bench.make(ROLE, roleNews);
    expect(role.id).toBe(`auth/${METHOD}/role/apps`);
    await expectStable(bench.plugin, ROLE, role, { ...roleNews, tokenPolicies: ["p2", "p1"] });
    const { inputs } = await bench.plugin.check(ROLE, { ...roleNews, tokenTtl: 60 }, role.inputs);
    expect(await bench.plugin.diff(ROLE, role, inputs)).toMatchObject({ replaces: [], detailed: { tokenTtl: 4 } });
    expect((await bench.plugin.update(ROLE, role, inputs)).outputs["tokenTtl"]).toBe(60);
    await bench.plugin.delete(ROLE, role);
    await bench.plugin.delete(CONFIG, config);
    await bench.plugin.delete(BACKEND, backend);
    expect((await bench.call("GET", `sys/auth/${METHOD}`)).status).toBe(400);
  });

  test("an auth method moves with its roles; tuned, described, and back; a configuration loses what is taken away", async () => {
    if (!bench.vault.given.kubernetes) return;
    const news = { type: "kubernetes", path: METHOD, tune: { maxLeaseTtl: "2h", tokenType: "default-batch" } };
    const state = await bench.make(BACKEND, news);
    await expectStable(bench.plugin, BACKEND, state, news);
    const configured = {
      backend: METHOD,
      kubernetesHost: "https://127.0.0.1:1",
      kubernetesCaCert: "-----BEGIN X-----\nYWJj\n-----END X-----\n",
      disableLocalCaJwt: true,
    };
    const config = await bench.make(CONFIG, { ...configured, issuer: "https://issuer" });
    const { inputs: less } = await bench.plugin.check(CONFIG, configured, config.inputs);
    expect((await bench.plugin.update(CONFIG, config, less)).outputs).not.toHaveProperty("issuer", "https://issuer");
    await bench.make(ROLE, { backend: METHOD, roleName: "app", boundServiceAccountNames: ["a"], boundServiceAccountNamespaces: ["b"] });
    const { inputs } = await bench.plugin.check(
      BACKEND,
      { type: "kubernetes", path: `${METHOD}-moved`, description: "moved", tune: { maxLeaseTtl: "3h" } },
      state.inputs,
    );
    expect(await bench.plugin.diff(BACKEND, state, inputs)).toMatchObject({ replaces: [] });
    const anew = await bench.plugin.diff(BACKEND, state, { ...inputs, disableRemount: true });
    expect(anew).toMatchObject({ replaces: ["path"], detailed: { path: 5 } });
    const { outputs } = await bench.plugin.update(BACKEND, state, inputs);
    expect(outputs).toMatchObject({ path: `${METHOD}-moved`, description: "moved", tune: { maxLeaseTtl: "3h" } });
    bench.willDelete(BACKEND, { id: state.id, inputs, outputs });
    expect((await bench.call("GET", `auth/${METHOD}-moved/role/app`)).status).toBe(200);
    expect((await bench.call("GET", `sys/auth/${METHOD}`)).status).toBe(400);
  });

  test("settings that a role no longer has are removed", async () => {
    if (!bench.vault.given.kubernetes) return;
    await bench.make(BACKEND, { type: "kubernetes", path: METHOD });
    const bound = { backend: METHOD, roleName: "app", boundServiceAccountNames: ["a"], boundServiceAccountNamespaces: ["*"] };
    const role = await bench.make(ROLE, { ...bound, audience: "vault", tokenPolicies: ["p"], tokenTtl: 60, tokenMaxTtl: 120, tokenNumUses: 3 });
    const { inputs } = await bench.plugin.check(ROLE, bound, role.inputs);
    const { outputs } = await bench.plugin.update(ROLE, role, inputs);
    await expectStable(bench.plugin, ROLE, { id: role.id, inputs, outputs }, bound);
    const { data } = z.object({ data: z.looseObject({}) }).parse((await bench.call("GET", `auth/${METHOD}/role/app`)).body);
    expect(data).toMatchObject({ token_policies: [], token_ttl: 0, token_max_ttl: 0, token_num_uses: 0 });
    expect(data["audience"] ?? "").toBe("");
  });
}
