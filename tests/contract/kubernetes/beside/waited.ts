/** A case of waiting: one object, and the limit of its wait. */
import type { Values } from "../../../../providers/sdk/values";
import type { Body } from "../under-test";

/** Limit in seconds for an object that never becomes ready. */
export const LIMIT = 3;
/** Limit in seconds for an object that becomes ready. */
export const ENOUGH = 120;
/** Limit in seconds for an object that is ready at once for our provider, and never for the official one. */
export const OURS_ALONE = 30;

export const labels = { app: "web" };
export const containers = [{ name: "web", image: "nginx:1.27" }];
export const jobSpec = { template: { spec: { restartPolicy: "Never", containers } } };

export interface Waited {
  title: string;
  type: string;
  /** Below `/apis/…/namespaces/<side>/`, with the group: `apis/apps/v1 deployments`. */
  path: readonly [string, string];
  spec?: Values;
  more?: Values;
  annotations?: Values;
  /** What is written to its status once it is there. */
  status?: Body;
  /** Limit of the wait in seconds. Default: {@link ENOUGH}. */
  timeout?: number;
}
