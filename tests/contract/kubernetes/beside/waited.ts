/** One object that is waited for, and how long. */
import type { Values } from "../../../../providers/sdk/values";
import type { Body } from "../under-test";

/** Seconds that a wait has which cannot end well. */
export const LIMIT = 3;
/** Seconds in which one comes to be that can. */
export const ENOUGH = 120;
/** Seconds for what is ready for us at once, and for the official provider never. */
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
  /** Seconds; default: enough. */
  timeout?: number;
}
