import { builtModule, graphOf } from "../../../tests/support/module-build";
import { only, plain } from "../../../tests/support/pulumi-mocks";
import { snapshotController } from "./module";

test("its definitions come first and stay; the controller may do what is published for it, and is root nowhere", async () => {
  const registered = await builtModule(snapshotController);
  expect(graphOf(registered)).toEqual({
    "kubernetes:core/v1:Namespace snapshot-controller-ns-namespace": "given-cluster",
    "command:local:Command snapshot-controller-crds-manifest": "given-command",
    "kubernetes:core/v1:ServiceAccount snapshot-controller-account": "given-cluster after snapshot-controller-ns-namespace",
    "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole snapshot-controller-role": "given-cluster",
    "kubernetes:rbac.authorization.k8s.io/v1:Role snapshot-controller-leader": "given-cluster after snapshot-controller-ns-namespace",
    "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding snapshot-controller-binding":
      "given-cluster after snapshot-controller-account, snapshot-controller-ns-namespace, snapshot-controller-role",
    "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding snapshot-controller-leader-binding":
      "given-cluster after snapshot-controller-account, snapshot-controller-leader, snapshot-controller-ns-namespace",
    "kubernetes:apps/v1:Deployment snapshot-controller-deployment":
      "given-cluster after snapshot-controller-account, snapshot-controller-binding, snapshot-controller-crds-manifest, snapshot-controller-leader-binding, snapshot-controller-ns-namespace",
  });
  const command = only(registered, "command:local:Command").inputs;
  expect(command["delete"]).toBeUndefined();
  const { spec } = plain(only(registered, "kubernetes:apps/v1:Deployment").inputs) as {
    spec: { template: { spec: { securityContext: object; containers: { image: string; securityContext: object }[] } } };
  };
  expect(spec.template.spec.securityContext).toEqual({ runAsNonRoot: true, runAsUser: 65_532, runAsGroup: 65_532, seccompProfile: { type: "RuntimeDefault" } });
  expect(spec.template.spec.containers).toMatchObject([
    {
      image: "registry.k8s.io/sig-storage/snapshot-controller:v8.6.0",
      securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ["ALL"] } },
    },
  ]);
});
