import { parse } from "yaml";
import { z } from "zod";
import { writeFileAtomic } from "../common/files";
import { portableYaml } from "../common/yaml";
import type { RunningCluster } from "./clusters";

const schema = z.looseObject({ clusters: z.array(z.unknown()), users: z.array(z.unknown()), contexts: z.array(z.unknown()) });

/** One kubeconfig with a context for each cluster that runs, named like its stack, through the lab's proxy. @returns its text */
function mergedKubeconfig(clusters: readonly RunningCluster[], proxyUrl: string): string {
  const sorted = [...clusters].sort((a, b) => a.cluster.name.localeCompare(b.cluster.name));
  const parts = sorted.map(({ cluster }) =>
    schema.parse(parse(cluster.adminKubeconfig({ server: `https://${cluster.address}:6443`, name: cluster.name, proxyUrl }))),
  );
  return portableYaml({
    apiVersion: "v1",
    kind: "Config",
    clusters: parts.flatMap((p) => p.clusters),
    users: parts.flatMap((p) => p.users),
    contexts: parts.flatMap((p) => p.contexts),
    ...(sorted[0] === undefined ? {} : { "current-context": sorted[0].cluster.name }),
  });
}

export function writeKubeconfig(file: string, clusters: readonly RunningCluster[], proxyUrl: string): void {
  writeFileAtomic(file, mergedKubeconfig(clusters, proxyUrl), 0o600);
}
