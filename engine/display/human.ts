/** What a person reads of an operation: a line for each step that begins or ends, then diagnostics, outputs and a summary. */
import type { DiagnosticEvent, EngineEventPayload, PolicyEvent, StepMetadata, SummaryEvent } from "../contracts";
import { isInternal } from "../steps/step";
import { urnName } from "../wire/urn";
import { type PropertyMap, sameValue, type Value } from "../wire/values";
import { colours, type Paint } from "./colour";
import { PolicyDisplay, violationLine } from "./policies";
import { type Change, changedKeys, changedProperties, shownValue } from "./property-diff";

export interface HumanOptions {
  title: string;
  stack: string;
  preview: boolean;
  /** Show what each property was and becomes. */
  diff: boolean;
  /** Name resources by their URNs. */
  urns: boolean;
  showSames: boolean;
  showReads: boolean;
  showReplacementSteps: boolean;
  /** Show each change that a policy made, not only how many. */
  remediations: boolean;
  suppressOutputs: boolean;
  color: string | undefined;
  debug: boolean;
}

const STACK_TYPE = "pulumi:pulumi:Stack";

/** Mark, colour, and the verb of a preview, of a beginning and of an end. */
const OPS: Record<string, [mark: string, colour: number, verbs: [string, string, string]]> = {
  same: ["", 0, ["", "", ""]],
  create: ["+", 32, ["create", "creating", "created"]],
  update: ["~", 33, ["update", "updating", "updated"]],
  delete: ["-", 31, ["delete", "deleting", "deleted"]],
  replace: ["+-", 35, ["replace", "replacing", "replaced"]],
  "create-replacement": ["++", 32, ["create replacement", "creating replacement", "created replacement"]],
  "delete-replaced": ["--", 31, ["delete original", "deleting original", "deleted original"]],
  read: [">", 36, ["read", "reading", "read"]],
  "read-replacement": [">~", 36, ["read for replacement", "reading for replacement", "read for replacement"]],
  import: ["=", 36, ["import", "importing", "imported"]],
  "import-replacement": ["=>", 36, ["import replacement", "importing replacement", "imported replacement"]],
  refresh: ["~", 36, ["refresh", "refreshing", "refreshed"]],
  discard: ["<", 36, ["discard", "discarding", "discarded"]],
  "discard-replaced": ["<<", 36, ["discard replaced", "discarding replaced", "discarded replaced"]],
  "remove-pending-replace": ["~", 35, ["complete replacement", "completing replacement", "completed replacement"]],
};
const COUNTED = ["create", "update", "delete", "replace", "read", "import", "discard"];
const REPLACEMENT_STEPS = new Set(["create-replacement", "delete-replaced", "discard-replaced"]);

const SHOWS_KEYS = new Set(["update", "replace", "create-replacement"]);

const changeOf = ({ old, new: next, diffs }: StepMetadata): Change => ({ before: old?.inputs, after: next?.inputs, known: diffs, hidden: next?.hideDiffs });

export class HumanDisplay {
  readonly #paint: Paint;
  readonly #diagnostics = new Map<string, { heading: string; lines: string[] }>();
  readonly #types = new Map<string, string>();
  /** Empty until the stack has begun. */
  #stackUrn = "";
  /** URNs for which an error was shown. */
  readonly #failed = new Set<string>();
  readonly #begun = new Map<string, number>();
  readonly #startedAt = performance.now();
  readonly #policies: PolicyDisplay;
  #outputs: { old: PropertyMap; new: PropertyMap } | undefined;

  constructor(private readonly options: HumanOptions) {
    this.#paint = colours(options.color);
    this.#policies = new PolicyDisplay(this.#paint, options);
    this.#print(`${this.#paint(`${options.title} (${options.stack})`, 35)}:\n`);
  }

  #print(line: string): void {
    process.stdout.write(`${line}\n`);
  }

  event(event: EngineEventPayload): void {
    if ("resourcePreEvent" in event) this.#begins(event.resourcePreEvent.metadata);
    else if ("resOutputsEvent" in event) this.#ends(event.resOutputsEvent.metadata);
    else if ("resOpFailedEvent" in event) this.#line(event.resOpFailedEvent.metadata, "failed", 31);
    else if ("diagnosticEvent" in event) this.#diagnostic(event.diagnosticEvent);
    else if ("policyEvent" in event) this.#violation(event.policyEvent);
    else if ("policyRemediationEvent" in event) this.#policies.remediation(event.policyRemediationEvent);
    else if ("stdoutEvent" in event) this.#print(event.stdoutEvent.message.trimEnd());
    else if ("summaryEvent" in event) this.#summary(event.summaryEvent);
  }

  #violation(event: PolicyEvent): void {
    this.#policies.violation(event);
    if (event.enforcementLevel === "mandatory") process.stderr.write(`${violationLine(event)}\n`);
  }

  #hidden(metadata: StepMetadata): boolean {
    if (isInternal(metadata)) return true;
    const { op } = metadata;
    if (op === "same") return !this.options.showSames;
    if (op === "read") return !this.options.showReads;
    return REPLACEMENT_STEPS.has(op) && this.options.preview && !this.options.showReplacementSteps;
  }

  #line(metadata: StepMetadata, what: string, colour?: number): void {
    const { op, type, urn } = metadata;
    const [mark, own] = OPS[op] ?? [op, 0];
    const replaced = [...new Set(metadata.keys ?? [])];
    const changed = SHOWS_KEYS.has(op) ? changedKeys(changeOf(metadata)) : "";
    const why = [...(replaced.length > 0 ? [`replace: ${replaced.join(", ")}`] : []), ...(changed === "" ? [] : [`diff: ${changed}`])];
    this.#print(
      `${this.#paint(` ${mark.padEnd(2)} ${type} ${this.options.urns ? urn : urnName(urn)} ${what}`.trimEnd(), colour ?? own)}${why.length > 0 ? ` [${why.join("; ")}]` : ""}`,
    );
  }

  #details(metadata: StepMetadata): void {
    if (!this.options.diff) return;
    for (const line of changedProperties(changeOf(metadata))) this.#print(this.#paint(`      ${line.text}`, line.colour));
  }

  #begins(metadata: StepMetadata): void {
    this.#types.set(metadata.urn, metadata.type);
    if (metadata.type === STACK_TYPE) this.#stackUrn = metadata.urn;
    this.#begun.set(`${metadata.op} ${metadata.urn}`, performance.now());
    if (this.#hidden(metadata) || metadata.op === "refresh") return;
    this.#line(metadata, OPS[metadata.op]?.[2][this.options.preview ? 0 : 1] ?? metadata.op);
    this.#details(metadata);
  }

  #ends(metadata: StepMetadata): void {
    if (metadata.type === STACK_TYPE) this.#outputs = { old: metadata.old?.outputs ?? {}, new: metadata.new?.outputs ?? {} };
    const key = `${metadata.op} ${metadata.urn}`;
    const begun = this.#begun.get(key);
    // A preview reports the stack's end twice: once it is planned, and once its outputs are known.
    if (!this.options.preview) this.#begun.delete(key);
    // A preview has shown everything already. A refresh has shown no start of the step, so its result is shown here.
    if (this.#hidden(metadata) || (this.options.preview && begun !== undefined)) return;
    const took = begun === undefined ? "" : ` (${((performance.now() - begun) / 1000).toFixed(2)}s)`;
    const [begins, ends] = OPS[metadata.op]?.[2].slice(1) ?? [metadata.op, metadata.op];
    // The stack's own step succeeds before the program runs. If the program fails, the stack is shown as failed.
    this.#line({ ...metadata, keys: [], diffs: [] }, `${this.#failed.has(metadata.urn) ? `${begins} failed` : ends}${took}`);
  }

  #diagnostic({ urn, prefix, message, severity, ephemeral }: DiagnosticEvent): void {
    if (ephemeral === true || (severity === "debug" && !this.options.debug)) return;
    // A message without a resource is shown on the stack.
    const key = urn ?? this.#stackUrn;
    const heading = key === "" ? this.options.stack : `${this.#types.get(key) ?? key.split("::")[2] ?? ""} (${urnName(key)})`;
    const found = this.#diagnostics.get(key) ?? { heading, lines: [] };
    found.lines.push(`${prefix}${message.trimEnd()}`);
    this.#diagnostics.set(key, found);
    if (severity !== "error") return;
    this.#failed.add(key);
    process.stderr.write(`${urn === undefined ? "" : `${urnName(urn)}: `}${prefix}${message.trimEnd()}\n`);
  }

  #summary({ resourceChanges, result, PolicyPacks }: SummaryEvent): void {
    const { preview, suppressOutputs } = this.options;
    const policies = this.#policies.lines(PolicyPacks);
    if (policies.length > 0) this.#print(`\n${policies.join("\n")}`);
    if (this.#diagnostics.size > 0) {
      this.#print("\nDiagnostics:");
      for (const { heading, lines } of this.#diagnostics.values())
        this.#print(`  ${heading}:\n${lines.map((line) => `    ${line.replaceAll("\n", "\n    ")}`).join("\n")}\n`);
    }
    if (!suppressOutputs) this.#showOutputs();
    // A count of changes would read as if they could be made.
    if (this.#policies.broken) return;
    this.#print("\nResources:");
    const counts = COUNTED.flatMap((op) => (resourceChanges[op] === undefined ? [] : [[op, resourceChanges[op]] as const]));
    for (const [op, count] of counts) {
      const [mark = "", colour = 0, verbs] = OPS[op] ?? [];
      this.#print(this.#paint(`    ${mark.padEnd(2)}${count} ${preview ? `to ${verbs?.[0]}` : verbs?.[2]}`, colour));
    }
    const same = resourceChanges["same"] ?? 0;
    const changes = counts.reduce((sum, [, count]) => sum + count, 0);
    const summary = [...(counts.length > 1 ? [`${changes} changes`] : []), ...(same > 0 ? [`${same} unchanged`] : [])];
    if (summary.length > 0) this.#print(`    ${summary.join(". ")}`);
    if (this.#failed.size > 0) this.#print(this.#paint(`    ${this.#failed.size} errored`, 31));
    this.#print(`\nDuration: ${((performance.now() - this.#startedAt) / 1000).toFixed(1)}s${result === "succeeded" ? "" : " (failed)"}`);
  }

  #showOutputs(): void {
    if (this.#outputs === undefined) return;
    const { old, new: next } = this.#outputs;
    const lines = [...new Set([...Object.keys(old), ...Object.keys(next)])].sort().map((name) => {
      const [before, after] = [old[name], next[name]];
      if (before === undefined) return this.#paint(`  + ${name}: ${shown(after)}`, 32);
      if (after === undefined) return this.#paint(`  - ${name}: ${shown(before)}`, 31);
      return sameValue(before, after) ? `    ${name}: ${shown(after)}` : this.#paint(`  ~ ${name}: ${shown(before)} => ${shown(after)}`, 33);
    });
    if (lines.length > 0) this.#print(`\nOutputs:\n${lines.join("\n")}`);
  }

  close(): void {
    // Each line was written as it came.
  }
}

const shown = (value: Value | undefined): string => (value === undefined ? "" : shownValue(value));
