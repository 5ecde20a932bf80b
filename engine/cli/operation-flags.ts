import type { FlagSpec } from "./flags";

type OperationName = "preview" | "up" | "refresh" | "destroy";

const FLAGS: FlagSpec = {
  yes: { type: "boolean", short: "y" },
  "skip-preview": { type: "boolean", short: "f" },
  "preview-only": { type: "boolean" },
  message: { type: "string", short: "m" },
  "expect-no-changes": { type: "boolean" },
  refresh: { type: "boolean", short: "r" },
  diff: { type: "boolean" },
  json: { type: "boolean", short: "j" },
  target: { type: "string", short: "t", multiple: true },
  "target-dependents": { type: "boolean" },
  "target-replace": { type: "string", multiple: true },
  exclude: { type: "string", short: "x", multiple: true },
  "exclude-dependents": { type: "boolean" },
  "exclude-protected": { type: "boolean" },
  replace: { type: "string", multiple: true },
  parallel: { type: "string", short: "p" },
  "continue-on-error": { type: "boolean" },
  "clear-pending-creates": { type: "boolean" },
  "skip-pending-creates": { type: "boolean" },
  "import-pending-creates": { type: "string", multiple: true },
  "run-program": { type: "boolean" },
  client: { type: "string" },
  "event-log": { type: "string" },
  debug: { type: "boolean", short: "d" },
  "show-config": { type: "boolean" },
  "show-reads": { type: "boolean" },
  "show-replacement-steps": { type: "boolean" },
  "show-sames": { type: "boolean" },
  "show-secrets": { type: "boolean" },
  "show-full-output": { type: "boolean" },
  "suppress-outputs": { type: "boolean" },
  "suppress-permalink": { type: "boolean" },
  "suppress-progress": { type: "boolean" },
  urns: { type: "boolean" },
  "skip-config-validation": { type: "boolean" },
  "skip-plugin-pre-install": { type: "boolean" },
  "exec-kind": { type: "string" },
  "exec-agent": { type: "string" },
};

/** Flags that not every operation has; the others all have. As the CLI's own help lists them. */
const ONLY: Readonly<Record<string, readonly OperationName[]>> = {
  yes: ["up", "refresh", "destroy"],
  "skip-preview": ["up", "refresh", "destroy"],
  "preview-only": ["refresh", "destroy"],
  "expect-no-changes": ["preview", "up", "refresh"],
  refresh: ["preview", "up", "destroy"],
  "target-replace": ["preview", "up"],
  "exclude-dependents": ["preview", "up", "refresh"],
  "exclude-protected": ["destroy"],
  replace: ["preview", "up"],
  "continue-on-error": ["up", "destroy"],
  "clear-pending-creates": ["refresh"],
  "skip-pending-creates": ["refresh"],
  "import-pending-creates": ["refresh"],
  "show-config": ["preview", "up", "destroy"],
  "show-reads": ["preview", "up"],
  "show-secrets": ["preview", "up"],
  "show-full-output": ["preview", "up", "destroy"],
};

export const operationFlags = (operation: OperationName): FlagSpec =>
  Object.fromEntries(Object.entries(FLAGS).filter(([name]) => ONLY[name]?.includes(operation) ?? true));
