import { readEnv } from "../../common/env";
import { HomelabError } from "../../common/errors";
import { checkProviderConfig, parseProviderConfig } from "../sdk/config";
import type { ProviderDefinition, ResourceDefinition } from "../sdk/resource";
import { sdkVersion } from "../sdk/version";
import { KubernetesClient } from "./client";
import { diffCluster } from "./diff-cluster";
import { chooseInstaller } from "./helm/installer";
import { releaseResource } from "./helm/release-resource";
import type { Installer } from "./helm/release-spec";
import { KIND_MODULES, KIND_TOKENS } from "./kinds";
import { readKubeconfig } from "./kubeconfig";
import { objectResource } from "./object/object-resource";
import { type ClusterTarget, REFUSED_SETTINGS, settingsOf, settingsSchema } from "./settings";
import { decodeYaml } from "./yaml/decode";

/** Types that are no objects of the API. */
const OTHERS = /^kubernetes:(helm\.sh\/v[234]:Chart|kustomize|yaml)/;

function resource(token: string): ResourceDefinition<ClusterTarget> | undefined {
  if (token === "kubernetes:helm.sh/v3:Release") return releaseResource(token);
  return OTHERS.test(token) || token.startsWith("kubernetes:helm.sh/") ? undefined : objectResource(token);
}

/** Package `kubernetes`: one client for one cluster. */
export const provider: ProviderDefinition<ClusterTarget> = {
  name: "kubernetes",
  version: sdkVersion("@pulumi/kubernetes"),
  checkConfig: (config) => checkProviderConfig(settingsSchema, config, REFUSED_SETTINGS),
  diffConfig: diffCluster,
  async configure({ config }) {
    const given = parseProviderConfig("kubernetes", settingsSchema, config);
    const kubeconfig = typeof given.kubeconfig === "object" ? JSON.stringify(given.kubeconfig) : given.kubeconfig || readEnv("KUBECONFIG");
    if (kubeconfig === undefined)
      throw new HomelabError("E_KUBECONFIG", "provider kubernetes: no kubeconfig", { hint: "set `kubeconfig` of the provider, or KUBECONFIG" });
    const connection = readKubeconfig(kubeconfig, given.context, given.cluster);
    const client = new KubernetesClient(connection, given.namespace ?? connection.namespace ?? "default");
    let installer: Installer | undefined;
    return {
      client,
      settings: settingsOf(given),
      installer: () => {
        installer ??= chooseInstaller(client, kubeconfig);
        return installer;
      },
    };
  },
  tokens: KIND_TOKENS,
  modules: KIND_MODULES,
  resource,
  invoke: async ({ provider: { client }, token, args, signal }) => (token === "kubernetes:yaml:decode" ? decodeYaml(client, args, signal) : undefined),
  close: ({ client }) => client.close(),
};
