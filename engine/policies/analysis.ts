/** What policies are asked about, and what they answer, as plain data. */
import type { PropertyMap } from "../wire/values";

export type EnforcementLevel = "advisory" | "mandatory" | "remediate" | "disabled";
export type Severity = "low" | "medium" | "high" | "critical";

/** One resource, as policies see it. */
export interface AnalyzedResource {
  urn: string;
  type: string;
  /** The inputs when a registration is judged; the outputs when the whole stack is. */
  properties: PropertyMap;
  protect: boolean;
  ignoreChanges: readonly string[];
  deleteBeforeReplace: boolean | undefined;
  additionalSecretOutputs: readonly string[];
  /** URNs. */
  aliases: readonly string[];
  /** Seconds. */
  customTimeouts: Readonly<Record<string, number>>;
  parent: string | undefined;
  provider: { urn: string; type: string; inputs: PropertyMap } | undefined;
}

/** One resource, as policies of the whole stack see it. */
export interface StackResource extends AnalyzedResource {
  dependencies: readonly string[];
  propertyDependencies: Readonly<Record<string, readonly string[]>>;
}

export interface Violation {
  policy: string;
  message: string;
  level: EnforcementLevel;
  severity: Severity | undefined;
  /** URN that the policy names for the violation; empty where it names none. */
  urn: string;
}

export interface Findings {
  violations: Violation[];
  /** Policies that do not apply to it. */
  notApplicable: string[];
}

export interface Remediation {
  policy: string;
  /** Why the remediation could not run; then there are no properties. */
  diagnostic: string;
  properties: PropertyMap;
}

export interface PolicySettings {
  level: EnforcementLevel;
  properties: Record<string, unknown>;
}

export interface PolicyFacts {
  name: string;
  kind: "resource" | "stack" | "unknown";
  level: EnforcementLevel;
  severity: Severity | undefined;
  /** The schemas of its own settings, by name. */
  properties: Record<string, Record<string, unknown>>;
  required: string[];
}

export interface PackFacts {
  name: string;
  version: string;
  supportsConfig: boolean;
  policies: PolicyFacts[];
  initialConfig: GivenConfig;
}

/** Settings as given, by the name of the policy or `all`. */
export type GivenConfig = Readonly<Record<string, { level: EnforcementLevel | undefined; properties: Record<string, unknown> }>>;

/** Which policies of a pack passed. */
export interface PolicySummary {
  pack: string;
  version: string;
  passed: string[];
  failed: string[];
}

export interface ShownViolation extends Violation {
  pack: string;
  version: string;
}

export interface ShownRemediation {
  policy: string;
  pack: string;
  version: string;
  urn: string;
  before: PropertyMap;
  after: PropertyMap;
}
