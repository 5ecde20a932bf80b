export { contentSchema, type Disk } from "./disks";
export { type Host, type HostState, startHost } from "./host";
export type { StartCluster } from "./machine";
