/** A stack: its nodes or their templates, its VMs, its cluster, its platform and its applications. */
import type * as pulumi from "@pulumi/pulumi";
import type { KubernetesCluster } from "../../components/clusters/kubernetes-cluster";
import { type BuiltApps, buildApps } from "./apps";
import { buildCluster } from "./cluster";
import type { BuildContext } from "./context";
import { type BuiltModules, buildModules } from "./modules";
import { buildTemplates, proxmoxProvider, type Templates } from "./proxmox";
import { type BuiltHost, buildVms } from "./vms";

export interface BuiltStack {
  hosts: ReadonlyMap<string, BuiltHost>;
  cluster: KubernetesCluster;
  templates: Templates["made"];
  vault: BuiltModules["vault"];
  urls: Readonly<Record<string, pulumi.Output<string>>>;
  /** Outputs that its applications give. */
  appOutputs: BuiltApps["outputs"];
}

export function buildStack(context: BuildContext): BuiltStack {
  const proxmox = proxmoxProvider(context);
  const templates = buildTemplates(context, proxmox);
  const hosts = buildVms(context, proxmox, templates);
  const cluster = buildCluster(context, hosts);
  const modules = buildModules(context, cluster);
  const apps = buildApps(context, modules.issuer, cluster.provider);
  return { hosts, cluster, templates: templates.made, vault: modules.vault, urls: { ...modules.urls, ...apps.urls }, appOutputs: apps.outputs };
}
