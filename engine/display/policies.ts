/** The policy violations and remediations as they are shown at the end: by pack, the worst first. */
import type { PolicyEvent, PolicyRemediationEvent } from "../contracts";
import { isDefaultProvider } from "../steps/step";
import { urnName, urnType } from "../wire/urn";
import type { Paint } from "./colour";
import { changedKeys } from "./property-diff";

const RANKS = { mandatory: 1, advisory: 2 };
const SEVERITIES: readonly (string | undefined)[] = ["critical", "high", "medium", "low"];
const COLOURS = { mandatory: 31, advisory: 33 };

interface Pack {
  paths: string[];
  violations: PolicyEvent[];
  remediations: PolicyRemediationEvent[];
}

/** `(type: name)` of the resource that the policy judged. */
const subject = (urn: string | undefined, urns: boolean): string => (urn === undefined ? "" : `  (${urnType(urn)}: ${urns ? urn : urnName(urn)})`);

const severityRank = ({ severity }: PolicyEvent): number => (severity === undefined ? SEVERITIES.length : SEVERITIES.indexOf(severity));

/** By code points, as the CLI: `$` goes before `:`. */
const byText = (a: string, b: string): number => (a < b ? -1 : Number(a > b));

const order = (a: PolicyEvent, b: PolicyEvent): number =>
  RANKS[a.enforcementLevel] - RANKS[b.enforcementLevel] ||
  severityRank(a) - severityRank(b) ||
  byText(a.policyName, b.policyName) ||
  byText(a.resourceUrn ?? "", b.resourceUrn ?? "");

export class PolicyDisplay {
  readonly #violations: PolicyEvent[] = [];
  readonly #remediations: PolicyRemediationEvent[] = [];

  constructor(
    private readonly paint: Paint,
    /** URNs in place of names; each remediation in place of their number. */
    private readonly options: { urns: boolean; remediations: boolean },
  ) {}

  violation(event: PolicyEvent): void {
    this.#violations.push(event);
  }

  remediation(event: PolicyRemediationEvent): void {
    this.#remediations.push(event);
  }

  get broken(): boolean {
    return this.#violations.some(({ enforcementLevel }) => enforcementLevel === "mandatory");
  }

  /** @param packs as in the summary event */
  lines(packs: Readonly<Record<string, string>>): string[] {
    const found = new Map<string, Pack>();
    const packOf = (name: string, version: string): Pack => {
      const key = `${name}@v${version}`;
      const pack = found.get(key) ?? { paths: [], violations: [], remediations: [] };
      found.set(key, pack);
      return pack;
    };
    for (const [key, version] of Object.entries(packs)) {
      const [name = "", , path = ""] = key.split("|");
      packOf(name, version).paths.push(path);
    }
    for (const event of this.#violations) packOf(event.policyPackName, event.policyPackVersion).violations.push(event);
    for (const event of this.#remediations) packOf(event.policyPackName, event.policyPackVersion).remediations.push(event);
    if (found.size === 0) return [];
    return ["Policies:", ...[...found].sort(([a], [b]) => byText(a, b)).flatMap(([key, pack]) => this.#pack(key, pack))];
  }

  #pack(key: string, { paths, violations, remediations }: Pack): string[] {
    const mandatory = violations.some(({ enforcementLevel }) => enforcementLevel === "mandatory");
    const mark = mandatory ? "❌" : violations.length > 0 ? "⚠️" : "✅";
    const local = paths.length > 0 ? ` (local: ${paths.sort().join("; ")})` : "";
    return [
      `    ${mark} ${this.paint(key, 35)}${local}`,
      ...(this.options.remediations ? this.#eachRemediation(remediations) : this.#remediationCounts(remediations)),
      ...[...violations].sort(order).flatMap((event) => this.#violation(event)),
    ];
  }

  #violation({ enforcementLevel, severity, policyName, resourceUrn, message }: PolicyEvent): string[] {
    const level = `[${enforcementLevel}]${severity === undefined ? "" : ` [severity: ${severity}]`}  ${policyName}`;
    const text = message.trimEnd().split("\n");
    return [`        - ${this.paint(level, COLOURS[enforcementLevel])}${subject(resourceUrn, this.options.urns)}`, ...text.map((line) => `          ${line}`)];
  }

  #remediationCounts(remediations: readonly PolicyRemediationEvent[]): string[] {
    const names = [...new Set(remediations.map(({ policyName }) => policyName))].sort();
    return names.map((name) => {
      const count = remediations.filter(({ policyName }) => policyName === name).length;
      return `        - ${this.paint(`[remediate]  ${name}`, 35)}  (${count} ${count === 1 ? "resource" : "resources"})`;
    });
  }

  #eachRemediation(remediations: readonly PolicyRemediationEvent[]): string[] {
    return remediations.flatMap(({ policyName, resourceUrn, before, after }) => {
      const changed = changedKeys({ before, after });
      return changed === "" ? [] : [`        - ${this.paint(`[remediate]  ${policyName}`, 35)}${subject(resourceUrn, this.options.urns)} [diff: ${changed}]`];
    });
  }
}

/** One line for each violation, for standard error. */
export function violationLine({ enforcementLevel, policyName, policyPackName, resourceUrn, message }: PolicyEvent): string {
  const about = resourceUrn === undefined || isDefaultProvider(urnType(resourceUrn), urnName(resourceUrn)) ? "" : `${urnName(resourceUrn)}: `;
  return `${about}${enforcementLevel}: ${policyName} (${policyPackName}): ${message.trimEnd()}`;
}
