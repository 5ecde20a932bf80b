import { Command } from "@pulumi/command/remote/command";
import { Provider } from "@pulumi/kubernetes/provider";
import * as pulumi from "@pulumi/pulumi";
import { KUBECONFIG_PATH, type Role } from "../../ansible-replacements";
import { Component, timeouts } from "../base/component";
import { known } from "../base/known-failure";
import { connectionInputs, type HostConnectionArgs } from "../hosts/connection";
import { HostRole } from "../hosts/host-role";
import type { Vm } from "../hosts/vm";
import { clusterCa, renameKubeconfig } from "./kubeconfig";

export interface K3sClusterArgs {
  /** The VM that becomes the cluster's only node. */
  vm: Vm;
  /** Address of that VM: known before the VM is there, since it is part of its definition. */
  address: string;
  connection: Omit<HostConnectionArgs, "address">;
  /** Name of cluster, user and context. */
  contextName: string;
  /** What the host is made into: a role that ends with k3s. */
  role: Role;
  /** A value for each secret of the role. Default none. */
  secrets?: Record<string, pulumi.Input<string>>;
  /** What is there before the role runs, such as the name server that its downloads need. Default none. */
  after?: readonly pulumi.Resource[];
}

/** A Kubernetes cluster of one node: k3s on a VM, its kubeconfig, and a provider for what is put into it. */
export class K3sCluster extends Component {
  /** Secret. */
  readonly kubeconfig: pulumi.Output<string>;
  readonly endpoint: pulumi.Output<string>;
  /** The cluster's own certificate authority, PEM. */
  readonly ca: pulumi.Output<string>;
  readonly provider: Provider;
  /** Is there when the host is what its role says. */
  readonly role: HostRole;

  constructor(name: string, args: K3sClusterArgs, opts?: pulumi.ComponentResourceOptions) {
    super("clusters:K3sCluster", name, opts);
    const server = `https://${args.address}:6443`;
    const connection: HostConnectionArgs = { ...args.connection, address: args.vm.address };
    this.role = new HostRole(
      `${name}-k3s`,
      {
        role: args.role,
        connection,
        instance: args.vm.instance,
        ...(args.secrets === undefined ? {} : { secrets: args.secrets }),
      },
      { parent: this, dependsOn: [...(args.vm.ready === undefined ? [] : [args.vm.ready]), ...(args.after ?? [])] },
    );
    const read = new Command(
      `${name}-kubeconfig`,
      {
        connection: connectionInputs(connection),
        create: `sudo -n cat ${KUBECONFIG_PATH}`,
        triggers: [args.vm.instance],
        // Its output is a private key: not for the log of the engine.
        logging: "none",
        addPreviousOutputInEnv: false,
      },
      this.child({ dependsOn: [this.role], additionalSecretOutputs: ["stdout"], customTimeouts: timeouts(10) }),
    );
    this.kubeconfig = pulumi.secret(read.stdout.apply(known((text) => renameKubeconfig(text, args.contextName, server))));
    this.ca = pulumi.unsecret(this.kubeconfig.apply(known(clusterCa)));
    this.endpoint = pulumi.output(server);
    this.provider = new Provider(`${name}-provider`, { kubeconfig: this.kubeconfig }, { parent: this });
    this.registerOutputs({ kubeconfig: this.kubeconfig, endpoint: this.endpoint });
  }
}
