/** A planned platform as JSON, for `describe` and for people. */
import type { PlatformPlan } from "./platform-types";
import { requestsText } from "./requests";

/** Charts as `name version`, modules in the order in which they are built. */
export function platformSummary({ modules, hosts, cluster, requests }: PlatformPlan) {
  return {
    cluster: cluster.title,
    requests: requestsText(requests),
    modules: modules.map(({ name, charts, after, parts }) => ({
      name,
      charts: Object.values(charts).map((chart) => `${chart.name} ${chart.version}`),
      after,
      namespaces: parts.namespaces,
    })),
    hosts: hosts.map(({ name, owner, serves, route }) => ({ name, owner, serves, route })),
  };
}
