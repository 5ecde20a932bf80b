/** An application of a stack with the stack's settings. Types only. */
import type { AppSpec } from "../../components/apps/app-spec";
import type { Delivery } from "../../components/apps/delivery";
import type { App, FromStack } from "../define/app";

export interface PlannedApp extends Pick<App, "flows" | "exceptions"> {
  /** Also that of its namespace. */
  readonly name: string;
  /** With placeholders for values of other stacks. */
  readonly spec: AppSpec;
  /** The reference of each placeholder. */
  readonly references: ReadonlyMap<string, FromStack>;
  /** Ports by their name in the output `urls`. */
  readonly urls: ReadonlyMap<string, string>;
  readonly delivery: Delivery;
  /** Whether the Argo CD that delivers it runs in another stack. */
  readonly fromElsewhere: boolean;
  /** Outputs of the stack: the URL of a port. */
  readonly outputs: NonNullable<App["outputs"]>;
}
