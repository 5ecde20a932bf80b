export { type Host, type HostOptions, type HostState, startHost } from "./host";
export type { HostSpec, RunningCluster, StartCluster } from "./machine";
