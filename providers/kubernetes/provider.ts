import { z } from "zod";
import { readEnv } from "../../common/env";
import { HomelabError } from "../../common/errors";
import { checkProviderConfig, jsonSetting, parseProviderConfig } from "../sdk/config";
import type { ProviderDefinition, ResourceDefinition } from "../sdk/resource";
import { sdkVersion } from "../sdk/version";
import { KubernetesClient } from "./client";
import { chooseInstaller, type Installer } from "./helm/installer";
import { releaseResource } from "./helm/release-resource";
import { readKubeconfig } from "./kubeconfig";
import { objectResource } from "./object-resource";

const configSchema = z.strictObject({
  /** Content or path; default KUBECONFIG. */
  kubeconfig: z.string().optional(),
  context: z.string().optional(),
  cluster: z.string().optional(),
  namespace: z.string().optional(),
  enableServerSideApply: jsonSetting(z.boolean()).optional(),
  deleteUnreachable: jsonSetting(z.boolean()).optional(),
  skipUpdateUnreachable: jsonSetting(z.boolean()).optional(),
  enableConfigMapMutable: jsonSetting(z.boolean()).optional(),
  enableSecretMutable: jsonSetting(z.boolean()).optional(),
  clusterIdentifier: z.string().optional(),
  suppressDeprecationWarnings: jsonSetting(z.boolean()).optional(),
  suppressHelmHookWarnings: jsonSetting(z.boolean()).optional(),
});

const REFUSED: Record<string, string> = {
  renderYamlToDirectory: "the embedded provider talks to clusters only",
  helmReleaseSettings: "helm's own environment variables apply",
  kubeClientSettings: "the defaults apply",
};

/** Kept beside the client for `helm`, which takes a kubeconfig. */
const kubeconfigs = new WeakMap<KubernetesClient, string>();
const installers = new WeakMap<KubernetesClient, Installer>();

function installerOf(client: KubernetesClient): Installer {
  const known = installers.get(client) ?? chooseInstaller(client, kubeconfigs.get(client) ?? "");
  installers.set(client, known);
  return known;
}

/** Types that are no objects of the API. */
const OTHERS = /^kubernetes:(helm\.sh\/v[234]:Chart|kustomize|yaml)/;

function resource(token: string): ResourceDefinition<KubernetesClient> | undefined {
  if (token === "kubernetes:helm.sh/v3:Release") return releaseResource(token, installerOf);
  return OTHERS.test(token) || token.startsWith("kubernetes:helm.sh/") ? undefined : objectResource(token);
}

/** Package `kubernetes`: one client for one cluster. */
export const provider: ProviderDefinition<KubernetesClient> = {
  name: "kubernetes",
  version: sdkVersion("@pulumi/kubernetes"),
  checkConfig: (config) => checkProviderConfig(configSchema, config, REFUSED),
  async configure({ config }) {
    const settings = parseProviderConfig("kubernetes", configSchema, config);
    const kubeconfig = settings.kubeconfig ?? readEnv("KUBECONFIG");
    if (kubeconfig === undefined)
      throw new HomelabError("E_KUBECONFIG", "provider kubernetes: no kubeconfig", { hint: "set `kubeconfig` of the provider, or KUBECONFIG" });
    const connection = readKubeconfig(kubeconfig, settings.context, settings.cluster);
    const client = new KubernetesClient(connection, settings.namespace ?? connection.namespace ?? "default");
    kubeconfigs.set(client, kubeconfig);
    return client;
  },
  resource,
  close: (client) => client.close(),
};
