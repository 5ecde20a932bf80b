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
    "kubernetes:external-secrets.io/v1beta1:ClusterSecretStore shared-secrets-store": "given-cluster after shared-secrets-reader",
    "kubernetes:external-secrets.io/v1beta1:ClusterExternalSecret shared-secrets-secret": "given-cluster after shared-secrets-store",
  });
  expect(only(registered, "kubernetes:external-secrets.io/v1beta1:ClusterExternalSecret").inputs["spec"]).toMatchObject({
    namespaceSelector: { matchLabels: { "cluster-secrets": "true" } },
    externalSecretSpec: {
      target: { name: "cluster-secrets" },
      data: [
        { secretKey: "one", remoteRef: { key: "cluster-secret-store/secrets/A", property: "one" } },
        { secretKey: "two", remoteRef: { key: "cluster-secret-store/secrets/A", property: "two" } },
        { secretKey: "three", remoteRef: { key: "cluster-secret-store/secrets/B", property: "three" } },
      ],
    },
  });
  const store = only(registered, "kubernetes:external-secrets.io/v1beta1:ClusterSecretStore").inputs;
  expect(store["spec"]).toMatchObject({ conditions: [{ namespaceSelector: { matchLabels: { "cluster-secrets": "true" } } }] });
  expect(JSON.stringify(store)).not.toContain("tokenSecretRef");
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
