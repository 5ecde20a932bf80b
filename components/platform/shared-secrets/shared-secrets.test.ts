import { builtModule, graphOf } from "../../../tests/support/module-build";
import { only } from "../../../tests/support/pulumi-mocks";
import { sharedSecrets } from "./module";
import { flatKeys } from "./values";

const entries = new Map([
  ["cluster-secret-store/secrets/A", ["one", "two"]],
  ["cluster-secret-store/secrets/B", ["three"]],
  ["cloudflare", ["api-token"]],
]);

test("it goes to labelled namespaces only, by an identity of its own, with the entries below its path", async () => {
  const registered = await builtModule(sharedSecrets, { place: { entries } });
  expect(graphOf(registered)).toEqual({
    "kubernetes:core/v1:ServiceAccount shared-secrets-reader": "given-cluster",
    "kubernetes:external-secrets.io/v1:ClusterSecretStore shared-secrets-store": "given-cluster after shared-secrets-reader",
    "kubernetes:external-secrets.io/v1:ClusterExternalSecret shared-secrets-secret": "given-cluster after shared-secrets-store",
  });
  const labelled = { matchLabels: { "cluster-secrets": "true" } };
  const secret = only(registered, "kubernetes:external-secrets.io/v1:ClusterExternalSecret").inputs;
  expect(secret["metadata"]).toEqual({ name: "cluster-secrets" });
  expect(secret["spec"]).toEqual({
    externalSecretName: "cluster-secrets",
    namespaceSelector: labelled,
    refreshTime: "1m",
    externalSecretSpec: {
      refreshInterval: "1m",
      secretStoreRef: { kind: "ClusterSecretStore", name: "vault-shared" },
      target: { name: "cluster-secrets", creationPolicy: "Owner" },
      data: [
        { secretKey: "one", remoteRef: { key: "cluster-secret-store/secrets/A", property: "one" } },
        { secretKey: "two", remoteRef: { key: "cluster-secret-store/secrets/A", property: "two" } },
        { secretKey: "three", remoteRef: { key: "cluster-secret-store/secrets/B", property: "three" } },
      ],
    },
  });
  const store = only(registered, "kubernetes:external-secrets.io/v1:ClusterSecretStore").inputs;
  expect(store["metadata"]).toEqual({ name: "vault-shared" });
  const account = { name: "vault-shared-reader", namespace: "external-secrets", audiences: ["vault"] };
  const login = { mountPath: "kubernetes/dev", role: "cluster-secrets", serviceAccountRef: account };
  expect(store["spec"]).toEqual({
    conditions: [{ namespaceSelector: labelled }],
    provider: { vault: { server: "https://vault.example.org", path: "kv", version: "v2", auth: { kubernetes: login } } },
  });
});

test("two entries with a key of one name are found before anything is built", () => {
  expect(() =>
    flatKeys(
      new Map([
        ["store/ORACLE", ["region"]],
        ["store/S3", ["bucket", "region"]],
      ]),
    ),
  ).toThrow('"region" is a key of store/ORACLE and of store/S3: cluster-secrets can hold one of them');
});
