import { Deployment } from "@pulumi/kubernetes/apps/v1/deployment";
import { ServiceAccount } from "@pulumi/kubernetes/core/v1/serviceAccount";
import { ClusterRole } from "@pulumi/kubernetes/rbac/v1/clusterRole";
import { ClusterRoleBinding } from "@pulumi/kubernetes/rbac/v1/clusterRoleBinding";
import { Role } from "@pulumi/kubernetes/rbac/v1/role";
import { RoleBinding } from "@pulumi/kubernetes/rbac/v1/roleBinding";
import type * as pulumi from "@pulumi/pulumi";
import { Component, timeouts } from "../../base/component";
import { Namespace, type NamespaceArgs } from "../../base/namespace";
import { PinnedManifest } from "../../base/pinned-manifest";
import type { BuildModule } from "../context";
import { LEADER_RULES, SNAPSHOT_CONTROLLER_NAMESPACE, SNAPSHOT_DEFINITIONS, SNAPSHOT_RULES, snapshotDeployment } from "./values";

const NAME = "snapshot-controller";

/** The controller of volume snapshots, with the definitions of their kinds. */
export class SnapshotController extends Component {
  constructor(name: string, args: { namespace: NamespaceArgs }, opts?: pulumi.ComponentResourceOptions) {
    super("platform:SnapshotController", name, opts);
    const { namespace } = new Namespace(`${name}-ns`, args.namespace, this.child());
    // Snapshots are data: they outlive the controller, and another one finds them.
    const definitions = new PinnedManifest(`${name}-crds`, { files: SNAPSHOT_DEFINITIONS, keep: true }, this.child());
    const account = new ServiceAccount(`${name}-account`, { metadata: { name: NAME, namespace } }, this.child());
    const rights = this.#rights(name, namespace, account.metadata.name);
    new Deployment(
      `${name}-deployment`,
      snapshotDeployment<pulumi.Input<string>>(namespace, account.metadata.name),
      // The controller exits if the kinds do not exist.
      this.child({ dependsOn: [definitions, ...rights], customTimeouts: timeouts(10) }),
    );
    this.registerOutputs({});
  }

  #rights(name: string, namespace: pulumi.Output<string>, account: pulumi.Output<string>): pulumi.Resource[] {
    const subjects = [{ kind: "ServiceAccount", name: account, namespace }];
    const apiGroup = "rbac.authorization.k8s.io";
    const role = new ClusterRole(`${name}-role`, { metadata: { name: NAME }, rules: SNAPSHOT_RULES }, this.child());
    const leader = new Role(`${name}-leader`, { metadata: { name: NAME, namespace }, rules: LEADER_RULES }, this.child());
    return [
      new ClusterRoleBinding(
        `${name}-binding`,
        { metadata: { name: NAME }, subjects, roleRef: { apiGroup, kind: "ClusterRole", name: role.metadata.name } },
        this.child(),
      ),
      new RoleBinding(
        `${name}-leader-binding`,
        { metadata: { name: NAME, namespace }, subjects, roleRef: { apiGroup, kind: "Role", name: leader.metadata.name } },
        this.child(),
      ),
    ];
  }
}

export const buildSnapshotController: BuildModule<Record<string, never>> = (name, { context }, opts) => ({
  component: new SnapshotController(name, { namespace: context.namespace(SNAPSHOT_CONTROLLER_NAMESPACE) }, opts),
});
