/** What only the lab needs to know of a homelab's machines: a rehearsal shows the real nodes' sizes, and checks against them. */
import type { LabNode, LabSite } from "../../common/lab-site";

export interface LabHardware {
  /** Name of the Proxmox cluster. */
  cluster: string;
  /** By name of the node: what the lab shows of it, beside what site/nodes.ts says. */
  nodes: Readonly<Record<string, Omit<LabNode, "name" | "memoryMiB">>>;
  /** Storages as the installer and the nodes' owner left them. */
  storages: LabSite["storages"];
}

export const defineLab = (lab: LabHardware): LabHardware => lab;
