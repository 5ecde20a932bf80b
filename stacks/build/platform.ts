/** Builds the platform of an environment from its plan. This file names no environment and no module. */
import type * as pulumi from "@pulumi/pulumi";
import { MODULES } from "../../components/platform/catalogue";
import type { ClusterContext, Given } from "../../components/platform/context";
import type { Module } from "../../components/platform/module";
import type { PlatformPlan } from "../plan/platform-types";

export interface BuiltPlatform {
  /** With all that the modules give. */
  readonly context: ClusterContext;
  /** What the modules give, and what was given to them. */
  readonly given: Given;
  /** URLs that people open, by name. */
  readonly urls: Readonly<Record<string, pulumi.Output<string>>>;
  /** By the module's name. */
  readonly components: ReadonlyMap<string, pulumi.Resource>;
}

/** @param catalogue the modules with which the plan was made */
export function buildPlatform(plan: PlatformPlan, context: ClusterContext, catalogue: readonly Module[] = MODULES): BuiltPlatform {
  let current = context;
  const components = new Map<string, pulumi.Resource>();
  const urls: Record<string, pulumi.Output<string>> = {};
  for (const { name, options, waitsFor } of plan.modules) {
    const module = catalogue.find((candidate) => candidate.name === name);
    if (module === undefined) throw new Error(`the plan has a module "${name}", which the catalogue does not have`);
    const dependsOn = waitsFor.flatMap((other) => components.get(other) ?? []);
    const {
      component,
      gives,
      urls: own,
    } = module.build()(name, { options, context: current }, { providers: current.providers(), ...(dependsOn.length === 0 ? {} : { dependsOn }) });
    components.set(name, component);
    Object.assign(urls, own);
    if (gives !== undefined) current = current.with(gives);
  }
  return { context: current, given: current.given, urls, components };
}
