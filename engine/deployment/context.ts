import type { DeploymentRequest } from "../contracts";
import type { ProviderRegistry } from "../providers/registry";
import type { SnapshotManager } from "../snapshot/manager";
import type { ResourceState } from "../snapshot/types";
import type { PropertyMap } from "../wire/values";
import type { EventLog } from "./events";
import type { Targets } from "./targets";

/** What the parts of one deployment share. */
export interface DeploymentContext {
  readonly request: DeploymentRequest;
  readonly preview: boolean;
  readonly registry: ProviderRegistry;
  readonly events: EventLog;
  readonly state: SnapshotManager;
  readonly targets: Targets;
  /** The state as the run found it (after a refresh, as that left it). */
  base: readonly ResourceState[];
  /** Inputs of a provider that was registered in this run, by reference. */
  newProviderInputs(reference: string): PropertyMap;
  /** Where an old state stands now: itself, or what it was replaced by in place (marked). */
  current(old: ResourceState): ResourceState;
  /** Settles a replacement that was created first: the old entry stays, marked for its deletion at the end. */
  replaceFirst(old: ResourceState, state: ResourceState, ends: number | undefined): void;
  /** Deleted before its replacement: the entry stays until the replacement is there. */
  markPendingReplacement(old: ResourceState, ends: number | undefined): void;
  /** @param unchanged nothing that is stored differs, so that nothing needs to be written */
  settleSame(old: ResourceState, state: ResourceState, unchanged: boolean): void;
  /** RFC 3339, UTC. */
  now(): string;
}
