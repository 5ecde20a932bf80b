/** Settings of the provider: names, defaults, and those that are refused. */
import { z } from "zod";
import { readEnv } from "../../common/env";
import { jsonSetting } from "../sdk/config";
import type { KubernetesClient } from "./client";
import type { Installer } from "./helm/release-spec";

const flag = (): z.ZodOptional<z.ZodType<boolean>> => jsonSetting(z.boolean()).optional() as z.ZodOptional<z.ZodType<boolean>>;

export const settingsSchema = z.strictObject({
  /** Content or path; default KUBECONFIG. */
  kubeconfig: z.union([z.string(), z.record(z.string(), z.unknown())]).optional(),
  context: z.string().optional(),
  cluster: z.string().optional(),
  namespace: z.string().optional(),
  enableServerSideApply: jsonSetting(
    z.literal(true, { error: "the embedded provider has server-side apply only; the official plugin has client-side apply too" }),
  ).optional(),
  deleteUnreachable: flag(),
  skipUpdateUnreachable: flag(),
  enableConfigMapMutable: flag(),
  enableSecretMutable: flag(),
  enablePatchForce: flag(),
  upsertExistingObjects: flag(),
  clusterIdentifier: z.string().optional(),
  suppressDeprecationWarnings: flag(),
  suppressHelmHookWarnings: flag(),
});

export const REFUSED_SETTINGS: Record<string, string> = {
  alwaysRender: "it renders no YAML",
  renderYamlToDirectory: "the embedded provider talks to clusters only",
  helmReleaseSettings: "helm's own environment variables apply",
  kubeClientSettings: "the defaults apply",
  strictMode: "the kubeconfig is always the provider's own or KUBECONFIG",
};

/** The settings that are read while the provider works, with the official defaults. */
export interface Settings {
  deleteUnreachable: boolean;
  skipUpdateUnreachable: boolean;
  enableConfigMapMutable: boolean;
  enableSecretMutable: boolean;
  enablePatchForce: boolean;
  /** Default true, unlike the current official plugin, so that the next run takes over the objects of an interrupted one. */
  upsertExistingObjects: boolean;
  suppressDeprecationWarnings: boolean;
  suppressHelmHookWarnings: boolean;
}

/** The official provider's variables, which count where a setting is not given. */
const VARIABLES: Record<keyof Settings, string> = {
  deleteUnreachable: "PULUMI_K8S_DELETE_UNREACHABLE",
  skipUpdateUnreachable: "PULUMI_K8S_SKIP_UPDATE_UNREACHABLE",
  enableConfigMapMutable: "PULUMI_K8S_ENABLE_CONFIGMAP_MUTABLE",
  enableSecretMutable: "PULUMI_K8S_ENABLE_SECRET_MUTABLE",
  enablePatchForce: "PULUMI_K8S_ENABLE_PATCH_FORCE",
  upsertExistingObjects: "PULUMI_K8S_UPSERT_EXISTING_OBJECTS",
  suppressDeprecationWarnings: "PULUMI_K8S_SUPPRESS_DEPRECATION_WARNINGS",
  suppressHelmHookWarnings: "PULUMI_K8S_SUPPRESS_HELM_HOOK_WARNINGS",
};

const DEFAULTS: Partial<Settings> = { upsertExistingObjects: true };

export function settingsOf(given: Partial<Record<keyof Settings, boolean | undefined>>): Settings {
  const entries = Object.entries(VARIABLES) as [keyof Settings, string][];
  const effective = (key: keyof Settings, variable: string): boolean => given[key] ?? (readEnv(variable) ?? String(DEFAULTS[key] === true)) === "true";
  return Object.fromEntries(entries.map(([key, variable]) => [key, effective(key, variable)])) as unknown as Settings;
}

/** One cluster, as resources see it. */
export interface ClusterTarget {
  client: KubernetesClient;
  settings: Settings;
  /** How charts are installed. It is chosen when a release is first used, so that other resources need no helm. */
  installer(): Installer;
}
