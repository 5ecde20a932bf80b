import { builtModule, graphOf } from "../../../tests/support/module-build";
import { only, plain } from "../../../tests/support/pulumi-mocks";
import { deliveryRules } from "./account";
import { argoCdAccess } from "./module";

test("an account whose token goes to the stack's own entry of Vault, and which has no rights of the cluster's", async () => {
  const registered = await builtModule(argoCdAccess, { options: { from: "dev" }, place: { environment: "stg" } });
  expect(graphOf(registered)).toEqual({
    "kubernetes:core/v1:Namespace argo-cd-access-ns-namespace": "given-cluster",
    "kubernetes:core/v1:ServiceAccount argo-cd-access-account": "given-cluster after argo-cd-access-ns-namespace",
    "kubernetes:core/v1:Secret argo-cd-access-token": "given-cluster after argo-cd-access-account, argo-cd-access-ns-namespace",
    "vault:kv/secretV2:SecretV2 argo-cd-access-entry-clusters-stg-argo-cd": "given-vault after argo-cd-access-token",
  });
  const { inputs, retainOnDelete } = only(registered, "vault:kv/secretV2:SecretV2");
  expect(plain(inputs)).toMatchObject({ name: "clusters/stg/argo-cd", dataJson: JSON.stringify({ token: "reviewer", caData: "UEVN" }) });
  expect(retainOnDelete).toBe(false);
  expect(only(registered, "kubernetes:core/v1:ServiceAccount").inputs).toMatchObject({ automountServiceAccountToken: false });
});

test("it writes the kinds of an application and sees their pods: no Secret, no rights, no exec, nothing with a wildcard", () => {
  const rules = deliveryRules();
  const written = rules.filter(({ verbs }) => verbs.includes("create")).flatMap(({ resources }) => resources);
  expect(written.toSorted()).toEqual([
    ...["configmaps", "deployments", "horizontalpodautoscalers", "ingresses", "jobs", "poddisruptionbudgets", "serviceaccounts", "services"],
    "virtualservices",
  ]);
  const seen = rules.filter(({ verbs }) => !verbs.includes("create"));
  expect(seen.map(({ resources, verbs }) => [resources, verbs])).toEqual([
    [["pods"], ["get", "list", "watch"]],
    [["replicasets"], ["get", "list", "watch"]],
  ]);
  expect(JSON.stringify(rules)).not.toContain("*");
});
