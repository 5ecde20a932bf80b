/** What a release is made of, and what installs it. */
import type { JsonObject } from "../../sdk/values";
import type { Manifest } from "./manifest";

/** Where charts come from, and as whom they are fetched. */
export interface Repository {
  /** URL. */
  repo?: string;
  username?: string;
  password?: string;
  /** Files of the machine. */
  caFile?: string;
  certFile?: string;
  keyFile?: string;
}

export interface ReleaseSpec {
  name: string;
  namespace: string;
  chart: string;
  version: string | undefined;
  repository: Repository;
  values: JsonObject;
  createNamespace: boolean;
  skipAwait: boolean;
  skipCrds: boolean;
  atomic: boolean;
  cleanupOnFail: boolean;
  waitForJobs: boolean;
  dependencyUpdate: boolean;
  description: string | undefined;
  devel: boolean;
  disableOpenapiValidation: boolean;
  /** Hooks of the chart are not run. */
  disableWebhooks: boolean;
  forceUpdate: boolean;
  keyring: string | undefined;
  /** Revisions that are kept; undefined: helm's default (10). 0: all. */
  maxHistory: number | undefined;
  renderSubchartNotes: boolean;
  resetValues: boolean;
  reuseValues: boolean;
  takeOwnership: boolean;
  verify: boolean;
  /** Seconds. */
  timeout: number;
}

export type ReleaseName = Pick<ReleaseSpec, "name" | "namespace" | "timeout" | "disableWebhooks">;

/** Installs, upgrades and removes releases. */
export interface Installer {
  /** What the chart would be in this cluster with these values. Changes nothing. */
  render(spec: ReleaseSpec, signal: AbortSignal): Promise<Manifest[]>;
  apply(spec: ReleaseSpec, signal: AbortSignal): Promise<void>;
  remove(spec: ReleaseName, signal: AbortSignal): Promise<void>;
}
