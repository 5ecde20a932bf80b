/** CheckConfig and DiffConfig: which settings are accepted, and which changes of settings mean another cluster. */
import { parse, stringify } from "yaml";
import { Secret, UNKNOWN, type Value, type Values } from "../../../../providers/sdk/values";
import type { Case, Side } from "./bench";

interface Kubeconfig {
  clusters: { name: string; cluster: { server: string } }[];
  contexts: { name: string; context: { cluster: string; user: string } }[];
}

/** The bench's own kubeconfig, with changes. */
function kubeconfigOf(side: Side, change: (config: Kubeconfig) => void = () => undefined): string {
  const config = parse(side.api.kubeconfig) as Kubeconfig;
  change(config);
  return stringify(config);
}
const elsewhere = (config: Kubeconfig): void => {
  for (const { cluster } of config.clusters) cluster.server = "https://192.0.2.1:6443";
};
const renamed = (config: Kubeconfig): void => {
  for (const one of config.clusters) one.name = "renamed";
  for (const { context } of config.contexts) context.cluster = "renamed";
};
const withAnother = (config: Kubeconfig): void => {
  config.clusters.push({ name: "another", cluster: { server: "https://192.0.2.1:6443" } });
  config.contexts.push({ name: "another", context: { cluster: "another", user: "admin" } });
};

const checks = (title: string, settings: (side: Side) => Values): Case => ({
  title: `settings: ${title}`,
  async run(side) {
    const answer = side.plugin.checkConfig(settings(side));
    // Only the name of the refused setting is compared: the messages differ.
    await side.record.step(
      "check",
      answer.then(({ inputs, failures }) => (failures.length === 0 ? { inputs } : { refused: failures.map((failure) => failure.split(":")[0] ?? "") })),
    );
  },
});

const compares = (title: string, before: (side: Side) => Values, after: (side: Side) => Values): Case => ({
  title: `another setting: ${title}`,
  run: async (side) => void (await side.record.step("diff", side.plugin.diffConfig(before(side), after(side)))),
});

const own =
  (more: Record<string, Value> = {}) =>
  (side: Side): Values => ({ kubeconfig: kubeconfigOf(side), ...more });
const two =
  (more: Record<string, Value> = {}) =>
  (side: Side): Values => ({ kubeconfig: kubeconfigOf(side, withAnother), ...more });

export const SETTING_CASES: Case[] = [
  checks("a kubeconfig", own()),
  checks("a kubeconfig that is secret", (side) => ({ kubeconfig: new Secret(kubeconfigOf(side)) })),
  checks("a kubeconfig that is unknown", () => ({ kubeconfig: UNKNOWN })),
  checks("context, cluster and namespace", own({ context: "real", cluster: "real", namespace: "default" })),
  checks("switches", own({ enableConfigMapMutable: "true", deleteUnreachable: "false", suppressHelmHookWarnings: "true" })),
  checks("client-side apply", own({ enableServerSideApply: "false" })),
  checks("strict mode without a context", own({ strictMode: "true" })),
  checks("YAML files beside a kubeconfig", own({ renderYamlToDirectory: "/nowhere" })),
  checks("a setting that nobody has", own({ nobodyHasIt: "true" })),
  compares("none", own(), own()),
  compares("a namespace", own({ namespace: "a" }), own({ namespace: "b" })),
  compares("a switch", own(), own({ enableConfigMapMutable: "true" })),
  compares("another server", own(), (side) => ({ kubeconfig: kubeconfigOf(side, elsewhere) })),
  compares("the same server by another name", own(), (side) => ({ kubeconfig: kubeconfigOf(side, renamed) })),
  compares("a cluster more in the file", own(), two()),
  compares("another context", two({ context: "real" }), two({ context: "another" })),
  compares("another cluster by name", two({ context: "real", cluster: "real" }), two({ context: "real", cluster: "another" })),
  compares("a kubeconfig that is not known yet", own(), () => ({ kubeconfig: UNKNOWN })),
  compares("a kubeconfig that was not known", () => ({ kubeconfig: UNKNOWN }), own()),
  compares("a namespace that is not known yet", own({ namespace: "a" }), own({ namespace: UNKNOWN })),
  compares("another server by the same identifier", own({ clusterIdentifier: "one" }), (side) => ({
    ...{ kubeconfig: kubeconfigOf(side, elsewhere), clusterIdentifier: "one" },
  })),
  compares("another identifier", own({ clusterIdentifier: "one" }), own({ clusterIdentifier: "two" })),
  compares("an identifier for the first time", own(), own({ clusterIdentifier: "one" })),
];
