import { builtModule, graphOf } from "../../../tests/support/module-build";
import { only, plain } from "../../../tests/support/pulumi-mocks";
import { clusterAccess } from "./module";

const own = new Map([["environments/dev/store/A", { one: "1" }]]);

test("the kubeconfig and the environment's own values go to Vault, and service accounts log in through a reviewer that may only review", async () => {
  const registered = await builtModule(clusterAccess, { secrets: { own: () => own } });
  expect(graphOf(registered)).toEqual({
    "vault:kv/secretV2:SecretV2 cluster-access-kubeconfig-clusters-dev-kubeconfig": "given-vault",
    "vault:kv/secretV2:SecretV2 cluster-access-own-environments-dev-store-A": "given-vault",
    "kubernetes:core/v1:Namespace cluster-access-vault-access-ns-namespace": "given-cluster",
    "kubernetes:core/v1:ServiceAccount cluster-access-vault-access-reviewer": "given-cluster after cluster-access-vault-access-ns-namespace",
    "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding cluster-access-vault-access-reviewer-binding":
      "given-cluster after cluster-access-vault-access-ns-namespace, cluster-access-vault-access-reviewer",
    "kubernetes:core/v1:Secret cluster-access-vault-access-reviewer-token":
      "given-cluster after cluster-access-vault-access-ns-namespace, cluster-access-vault-access-reviewer, cluster-access-vault-access-reviewer-binding",
    "vault:kubernetes/authBackendConfig:AuthBackendConfig cluster-access-vault-access-config": "given-vault after cluster-access-vault-access-reviewer-token",
  });
  expect(plain(only(registered, "vault:kv/secretV2:SecretV2", "cluster-access-kubeconfig-clusters-dev-kubeconfig").inputs)).toEqual({
    mount: "kv",
    name: "clusters/dev/kubeconfig",
    dataJson: '{"kubeconfig":"kubeconfig"}',
    deleteAllVersions: true,
  });
  expect(plain(only(registered, "vault:kubernetes/authBackendConfig:AuthBackendConfig").inputs)).toEqual({
    backend: "kubernetes/dev",
    kubernetesHost: "https://10.0.0.12:6443",
    kubernetesCaCert: "PEM",
    tokenReviewerJwt: "reviewer",
    disableLocalCaJwt: true,
  });
  expect(only(registered, "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding").inputs).toMatchObject({
    roleRef: { kind: "ClusterRole", name: "system:auth-delegator" },
    subjects: [{ kind: "ServiceAccount", name: "vault-token-reviewer", namespace: "vault-access" }],
  });
  expect(only(registered, "kubernetes:core/v1:Secret").inputs).toMatchObject({
    type: "kubernetes.io/service-account-token",
    metadata: { annotations: { "kubernetes.io/service-account.name": "vault-token-reviewer" } },
  });
});

test("the kubeconfig's entry goes with its cluster, the environment's own values stay", async () => {
  const registered = await builtModule(clusterAccess, { secrets: { own: () => own } });
  const entries = registered.filter(({ type }) => type === "vault:kv/secretV2:SecretV2");
  expect(entries.map(({ name, retainOnDelete }) => [name, retainOnDelete])).toEqual([
    ["cluster-access-kubeconfig-clusters-dev-kubeconfig", false],
    ["cluster-access-own-environments-dev-store-A", true],
  ]);
});
