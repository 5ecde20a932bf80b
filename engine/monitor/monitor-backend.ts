/** What the ResourceMonitor service asks of the deployment behind it. */
import type { DeploymentRequest } from "../contracts";
import type { DeploymentError } from "../errors";
import type { ProviderRegistry } from "../providers/registry";
import type { ResourceState } from "../snapshot/types";
import type { PropertyMap } from "../wire/values";
import type { Callbacks } from "./callbacks";
import type { Goal, ReadGoal } from "./goal";
import type { Hooks } from "./hooks";

/** What the monitor uses of the deployment. */
interface MonitorContext {
  readonly request: DeploymentRequest;
  readonly preview: boolean;
  readonly registry: ProviderRegistry;
  readonly hooks: Hooks;
}

/** What the monitor asks of the deployment. */
export interface MonitorBackend {
  readonly ctx: MonitorContext;
  /** Plans and carries out one registration; resolves with the state that it became. */
  register(goal: Goal): Promise<ResourceState>;
  read(goal: ReadGoal): Promise<ResourceState>;
  registerOutputs(urn: string, outputs: PropertyMap): Promise<void>;
  formerUrn(urn: string): string | undefined;
  state(urn: string): ResourceState | undefined;
  /** Called when the program has registered everything; resolves when the deployment has ended. */
  programDone(): Promise<void>;
  callbacks: Callbacks;
  /** Ends the deployment with an error. */
  fail(error: DeploymentError): void;
}
