import type { DeploymentRequest } from "../contracts";
import type { Hooks } from "../monitor/hooks";
import type { PlanLedger } from "../plans/ledger";
import type { Policies } from "../policies/policies";
import type { ProviderRegistry } from "../providers/registry";
import type { SnapshotManager } from "../snapshot/manager";
import type { ResourceState } from "../snapshot/types";
import type { Foresight } from "../steps/foresight";
import type { PropertyMap } from "../wire/values";
import type { EventLog } from "./events";
import type { Settlement } from "./settlement";
import type { Targets } from "./targets";

/** What the parts of one deployment share. */
export interface DeploymentContext {
  readonly request: DeploymentRequest;
  readonly preview: boolean;
  readonly registry: ProviderRegistry;
  readonly events: EventLog;
  readonly state: SnapshotManager;
  readonly settlement: Settlement;
  readonly hooks: Hooks;
  readonly plan: PlanLedger;
  readonly policies: Policies;
  readonly foresight: Foresight;
  targets: Targets;
  /** The state as the run found it (after a refresh, as that left it). */
  base: readonly ResourceState[];
  /** Inputs of a provider that was registered in this run, by reference. */
  newProviderInputs(reference: string): PropertyMap;
  /** Called when planning a step failed: the error was shown already, and the run fails at its end. */
  planningFailed(): void;
  /** Called when a hook after a successful step failed: the error was shown already, and nothing new is started. */
  afterStepFailed(): void;
  /** RFC 3339, UTC. */
  now(): string;
}
