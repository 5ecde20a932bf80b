/** A stack: its nodes or their templates, its VMs, its cluster, its platform and its applications. */
import { Provider as CommandProvider } from "@pulumi/command/provider";
import type * as pulumi from "@pulumi/pulumi";
import type { KubernetesCluster } from "../../components/clusters/kubernetes-cluster";
import { type BuiltApps, buildApps } from "./apps";
import { buildCluster } from "./cluster";
import type { BuildContext } from "./context";
import { buildModules } from "./modules";
import type { BuiltPlatform } from "./platform";
import { buildTemplates, proxmoxProvider, type Templates } from "./proxmox";
import { type BuiltHost, buildVms } from "./vms";

export interface BuiltStack {
  hosts: ReadonlyMap<string, BuiltHost>;
  cluster: KubernetesCluster;
  templates: Templates["made"];
  /** What its platform gives, and what was given to it. */
  given: BuiltPlatform["given"];
  urls: Readonly<Record<string, pulumi.Output<string>>>;
  /** The image that each application runs. */
  images: BuiltApps["images"];
  /** Outputs that its applications give. */
  appOutputs: BuiltApps["outputs"];
}

export function buildStack(context: BuildContext): BuiltStack {
  const providers = { proxmoxve: proxmoxProvider(context), command: new CommandProvider("command") };
  const { command } = providers;
  const templates = buildTemplates(context, providers.proxmoxve);
  const hosts = buildVms(context, providers, templates);
  const cluster = buildCluster(context, hosts, command);
  const modules = buildModules(context, cluster, command);
  const apps = buildApps(context, modules, cluster.provider);
  return {
    hosts,
    cluster,
    templates: templates.made,
    given: modules.given,
    urls: { ...modules.urls, ...apps.urls },
    images: apps.images,
    appOutputs: apps.outputs,
  };
}
