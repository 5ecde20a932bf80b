import { registeredOf } from "../../tests/support/module-build";
import { only } from "../../tests/support/pulumi-mocks";
import { SecretAccess } from "./secret-access";

test("a namespace gets what it names: an identity, a store for itself alone, and its Secrets", async () => {
  const registered = await registeredOf(({ kubernetes }) => {
    new SecretAccess(
      "app",
      {
        namespace: "app",
        namespaceName: "app",
        vaultAddress: "https://vault.example.org",
        authority: undefined,
        authMount: "kubernetes/dev",
        ownEntries: new Map(),
        secrets: [{ name: "db", data: { PASSWORD: { path: "store/secrets/POSTGRES", key: "POSTGRES_PASSWORD" } } }],
      },
      { providers: { kubernetes } },
    );
  });
  expect(only(registered, "kubernetes:core/v1:ServiceAccount").inputs).toMatchObject({
    metadata: { name: "vault-reader", namespace: "app" },
    automountServiceAccountToken: false,
  });
  expect(only(registered, "kubernetes:external-secrets.io/v1:ClusterSecretStore").inputs["spec"]).toEqual({
    conditions: [{ namespaces: ["app"] }],
    provider: {
      vault: {
        server: "https://vault.example.org",
        path: "kv",
        version: "v2",
        auth: { kubernetes: { mountPath: "kubernetes/dev", role: "app", serviceAccountRef: { name: "vault-reader", namespace: "app", audiences: ["vault"] } } },
      },
    },
  });
  expect(only(registered, "kubernetes:external-secrets.io/v1:ExternalSecret").inputs["spec"]).toEqual({
    refreshInterval: "1m",
    secretStoreRef: { kind: "ClusterSecretStore", name: "vault-app" },
    target: { name: "db", creationPolicy: "Owner" },
    data: [{ secretKey: "PASSWORD", remoteRef: { key: "store/secrets/POSTGRES", property: "POSTGRES_PASSWORD" } }],
  });
});
