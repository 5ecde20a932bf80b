/** Whether a change of the provider's settings means another cluster. Then all objects are replaced. */
import { isDeepStrictEqual } from "node:util";
import { diffValues } from "../sdk/diff";
import type { DiffResult } from "../sdk/resource";
import { containsUnknown, isValues, type Value, type Values } from "../sdk/values";
import { clusterOf } from "./kubeconfig";

const KEYS = ["kubeconfig", "context", "cluster"];
const IDENTIFIER = "clusterIdentifier";

const text = (value: Value | undefined): string | undefined =>
  typeof value === "string" && value !== "" ? value : isValues(value) ? JSON.stringify(value) : undefined;

/** The cluster that the settings choose; undefined where they do not say. */
function chosen(config: Values): unknown {
  const kubeconfig = text(config["kubeconfig"]);
  return kubeconfig === undefined ? undefined : clusterOf(kubeconfig, text(config["context"]), text(config["cluster"]));
}

/**
 * The official provider's rules. Another server or authority means another cluster, and so does another `clusterIdentifier`. An
 * unchanged `clusterIdentifier` means the same cluster, whatever else changed. An unknown value may mean another cluster.
 */
export function diffCluster(olds: Values, news: Values): DiffResult {
  const result = diffValues(olds, news);
  const replaces: string[] = [];
  const [before, after] = [olds[IDENTIFIER], news[IDENTIFIER]];
  if (before !== undefined && after !== undefined) return { ...result, replaces: before === after ? [] : [IDENTIFIER] };
  const unknown = KEYS.filter((key) => containsUnknown(news[key] ?? null));
  if (unknown.length > 0) return { ...result, changed: true, diffs: unknown, replaces: unknown };
  const [former, cluster] = [chosen(olds), chosen(news)];
  if (former !== undefined && cluster !== undefined && !isDeepStrictEqual(former, cluster)) replaces.push(...KEYS.filter((key) => result.diffs.includes(key)));
  return { ...result, replaces };
}
