export { type Host, startHost } from "./host";
export type { StartCluster } from "./machine";
