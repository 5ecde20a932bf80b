import { readEnv } from "../../common/env";
import type { EngineEventPayload, StepMetadata } from "../contracts";
import { urnName } from "../wire/urn";

export interface HumanOptions {
  verb: "Previewing" | "Running";
  command: string;
  stack: string;
  /** Show which properties change. */
  diff: boolean;
  showSames: boolean;
  color: string | undefined;
}

const MARK: Record<string, [string, number]> = {
  create: ["+", 32],
  update: ["~", 33],
  delete: ["-", 31],
  replace: ["+-", 35],
  "create-replacement": ["++", 32],
  "delete-replaced": ["--", 31],
  read: [">", 36],
  import: ["=", 36],
  refresh: ["~", 36],
  discard: ["<", 36],
};

const COUNTED = ["create", "update", "replace", "delete", "import", "read", "discard"];

/** One line a change, diagnostics of each resource at the end, a summary. */
export class HumanDisplay {
  readonly #colour: boolean;
  readonly #diagnostics = new Map<string, string[]>();
  readonly #startedAt = performance.now();

  constructor(private readonly options: HumanOptions) {
    const wish = options.color ?? "auto";
    this.#colour = wish === "always" || (wish === "auto" && process.stdout.isTTY === true && readEnv("NO_COLOR") === undefined);
    this.#print(`${options.verb} ${options.command} (${options.stack}):`);
  }

  #print(line: string): void {
    process.stdout.write(`${line}\n`);
  }

  #paint(text: string, code: number): string {
    return this.#colour ? `\x1b[${code}m${text}\x1b[0m` : text;
  }

  event(event: EngineEventPayload): void {
    if ("resourcePreEvent" in event && event.resourcePreEvent.planning) this.#step(event.resourcePreEvent.metadata);
    else if ("resOutputsEvent" in event && !event.resOutputsEvent.planning) this.#step(event.resOutputsEvent.metadata);
    else if ("resourcePreEvent" in event && event.resourcePreEvent.metadata.new?.custom !== true) this.#step(event.resourcePreEvent.metadata);
    else if ("resOpFailedEvent" in event)
      this.#print(this.#paint(`  x ${event.resOpFailedEvent.metadata.type} ${urnName(event.resOpFailedEvent.metadata.urn)} failed`, 31));
    else if ("diagnosticEvent" in event) this.#diagnostic(event.diagnosticEvent);
    else if ("summaryEvent" in event) this.#summary(event.summaryEvent.resourceChanges, event.summaryEvent.result === "succeeded");
  }

  #step(metadata: StepMetadata): void {
    const [mark, colour] = MARK[metadata.op] ?? [" ", 0];
    if (metadata.op === "same" && !this.options.showSames) return;
    if (metadata.type === "pulumi:pulumi:Stack" && metadata.op === "update") return;
    const why = [...(metadata.keys ?? []), ...(this.options.diff || metadata.op === "update" ? (metadata.diffs ?? []) : [])];
    this.#print(
      this.#paint(`  ${mark.padEnd(2)} ${metadata.type} ${urnName(metadata.urn)}${why.length > 0 ? ` [${[...new Set(why)].join(", ")}]` : ""}`, colour),
    );
  }

  #diagnostic({ urn, prefix, message, severity }: { urn?: string; prefix: string; message: string; severity: string }): void {
    if (severity === "debug") return;
    const owner = urn === undefined || urn === "" ? "" : urnName(urn);
    const lines = this.#diagnostics.get(owner) ?? [];
    lines.push(`${prefix}${message.trimEnd()}`);
    this.#diagnostics.set(owner, lines);
    if (severity === "error") process.stderr.write(`${owner === "" ? "" : `${owner}: `}${prefix}${message.trimEnd()}\n`);
  }

  #summary(changes: Record<string, number>, ok: boolean): void {
    const parts = COUNTED.filter((op) => (changes[op] ?? 0) > 0).map((op) => `${changes[op]} ${op}`);
    const same = changes["same"] ?? 0;
    if (this.#diagnostics.size > 0) {
      this.#print("Diagnostics:");
      for (const [owner, lines] of this.#diagnostics)
        this.#print(`  ${owner === "" ? this.options.stack : owner}:\n${lines.map((line) => `    ${line.replaceAll("\n", "\n    ")}`).join("\n")}`);
    }
    this.#print(`Resources: ${parts.length > 0 ? parts.join(", ") : "no changes"}${same > 0 ? `, ${same} unchanged` : ""}`);
    this.#print(`Duration: ${((performance.now() - this.#startedAt) / 1000).toFixed(1)}s${ok ? "" : " (failed)"}`);
  }

  close(): void {
    // Each line was written as it came.
  }
}
