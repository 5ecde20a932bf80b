import { Command } from "@pulumi/command/remote/command";
import { Provider } from "@pulumi/kubernetes/provider";
import * as pulumi from "@pulumi/pulumi";
import type { Role } from "../../ansible-replacements";
import { ERRORS_ONLY } from "../base/command-log";
import { Component, livesIn, timeouts } from "../base/component";
import { known } from "../base/known-failure";
import { connectionInputs, type HostAccess } from "../hosts/connection";
import { HostRole } from "../hosts/host-role";
import type { Vm } from "../hosts/vm";
import { clusterCa, renameKubeconfig } from "./kubeconfig";

export interface KubernetesClusterArgs {
  /** The VM that becomes the cluster's first node. */
  vm: Vm;
  /** Address of that VM: known before the VM is there, since it is part of its definition. */
  address: string;
  access: HostAccess;
  /** Name of cluster, user and context. */
  contextName: string;
  /** The role that makes the host a node. When it has ended, the cluster runs. */
  role: Role;
  /** A value for each secret of the role. Default none. */
  secrets?: Record<string, pulumi.Input<string>>;
  /** Resources that the role needs, such as the name server for its downloads. Default none. */
  after?: readonly pulumi.Resource[];
}

/** How a distribution's cluster is made. */
interface Distribution {
  /** The component's class. */
  kind: string;
  /** Its name, in the name of the role's resource. */
  name: string;
  /** Where it leaves the administrator's kubeconfig on the host. */
  kubeconfigPath: string;
}

/** A Kubernetes cluster whose first node is a VM: the VM's role, the cluster's kubeconfig, and a provider for what is put into it. */
export abstract class KubernetesCluster extends Component {
  /** Secret. */
  readonly kubeconfig: pulumi.Output<string>;
  readonly endpoint: pulumi.Output<string>;
  /** The cluster's own certificate authority, PEM. */
  readonly ca: pulumi.Output<string>;
  readonly provider: Provider;
  /** Identifies this cluster: another value after each rebuild. */
  readonly instance: pulumi.Output<string>;
  /** Exists once the role has been applied to the host. */
  readonly role: HostRole;

  protected constructor(distribution: Distribution, name: string, args: KubernetesClusterArgs, opts?: pulumi.ComponentResourceOptions) {
    super(`clusters:${distribution.kind}`, name, opts);
    const server = `https://${args.address}:6443`;
    const connection = args.vm.connection(args.access);
    this.instance = pulumi.output(args.vm.instance);
    this.role = new HostRole(
      `${name}-${distribution.name}`,
      {
        role: args.role,
        connection,
        instance: args.vm.instance,
        ...(args.secrets === undefined ? {} : { secrets: args.secrets }),
      },
      this.child({ dependsOn: [...(args.vm.ready === undefined ? [] : [args.vm.ready]), ...(args.after ?? [])] }),
    );
    const read = new Command(
      `${name}-kubeconfig`,
      {
        connection: connectionInputs(connection),
        create: `sudo -n cat ${distribution.kubeconfigPath}`,
        triggers: [args.vm.instance],
        // Its output is a private key.
        logging: ERRORS_ONLY,
        addPreviousOutputInEnv: false,
      },
      this.child({ dependsOn: [this.role], additionalSecretOutputs: ["stdout"], ignoreChanges: ["logging"], customTimeouts: timeouts(10) }),
    );
    this.kubeconfig = pulumi.secret(read.stdout.apply(known((text) => renameKubeconfig(text, args.contextName, server))));
    this.ca = pulumi.unsecret(this.kubeconfig.apply(known(clusterCa)));
    this.endpoint = pulumi.output(server);
    this.provider = new Provider(`${name}-provider`, { kubeconfig: this.kubeconfig }, this.child());
    // This command is replaced with the VM. Then nothing of the old cluster is left to delete.
    livesIn(this.provider, read);
    this.registerOutputs({ kubeconfig: this.kubeconfig, endpoint: this.endpoint });
  }
}
