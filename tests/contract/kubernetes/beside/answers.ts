/** What a provider answered to one step of a case, in a form in which two providers can be compared. */
import { Secret, Unknown } from "../../../../providers/sdk/values";
import { partialFailure } from "../../../support/test-provider";

/** Fields whose values differ in each run, as identifiers, times and assigned addresses do. */
const BY_CHANCE = new Set([
  "lastPhaseTransitionTime",
  "lastTransitionTime",
  "controller-uid",
  "batch.kubernetes.io/controller-uid",
  "uid",
  "resourceVersion",
  "creationTimestamp",
  "deletionTimestamp",
  "clusterIP",
  "clusterIPs",
  "healthCheckNodePort",
  "nodePort",
]);
/** The time of an entry of `managedFields`. The rest of the entry is compared: manager, operation and fields. */
const TIME = "time";

export type Plain = null | boolean | number | string | Plain[] | { [key: string]: Plain };

function plain(value: unknown, mark: string): Plain {
  if (value instanceof Secret) return { $secret: plain(value.value, mark) };
  if (value instanceof Unknown) return "<unknown>";
  if (Array.isArray(value)) return value.map((item) => plain(item, mark));
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).map(([key, item]): [string, Plain] => [
      key.replaceAll(mark, "SIDE"),
      (BY_CHANCE.has(key) && item !== "" && !(item instanceof Unknown)) || key === TIME ? "<chance>" : plain(item, mark),
    ]);
    return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
  }
  if (typeof value !== "string") return value as Plain;
  return value.replaceAll(mark, "SIDE").replaceAll(/pulumi-kubernetes-[0-9a-f]{8}/g, "pulumi-kubernetes-<8>");
}

export interface Answer {
  step: string;
  answer: Plain;
}

/** One provider in one case. */
export class Recorded {
  readonly answers: Answer[] = [];

  /** @param mark the text that only this side has in its names and namespaces */
  constructor(readonly mark: string) {}

  /** @returns undefined if the work failed: the failure is recorded as the answer */
  async step<T extends object | undefined>(name: string, work: Promise<T>): Promise<T | undefined> {
    try {
      const value = await work;
      this.note(name, value ?? "<none>");
      return value;
    } catch (thrown) {
      const partial = partialFailure(thrown);
      if (partial !== undefined) {
        this.note(name, { partial: { id: partial.id, outputs: partial.outputs, inputs: partial.inputs ?? "<none>" } });
        return { id: partial.id, outputs: partial.outputs, inputs: partial.inputs, reasons: partial.reasons } as unknown as T;
      }
      if (!(thrown instanceof Error)) throw thrown;
      this.errors.push(`${name}: ${thrown.message}`);
      this.note(name, "<fails>");
      return undefined;
    }
  }

  /** The messages of the failures. They are not compared; they help whoever looks into a difference. */
  readonly errors: string[] = [];

  note(step: string, value: unknown): void {
    this.answers.push({ step, answer: plain(value, this.mark) });
  }
}

/** Where two values differ: the property path and both values. */
export function differences(
  ours: Plain | undefined,
  theirs: Plain | undefined,
  path = "",
): { path: string; ours: Plain | undefined; theirs: Plain | undefined }[] {
  if (JSON.stringify(ours) === JSON.stringify(theirs)) return [];
  if (Array.isArray(ours) && Array.isArray(theirs) && ours.length === theirs.length)
    return ours.flatMap((item, i) => differences(item, theirs[i], `${path}[${i}]`));
  const isMap = (value: Plain | undefined): value is { [key: string]: Plain } => typeof value === "object" && value !== null && !Array.isArray(value);
  if (!isMap(ours) || !isMap(theirs)) return [{ path, ours, theirs }];
  const keys = [...new Set([...Object.keys(ours), ...Object.keys(theirs)])];
  return keys.flatMap((key) => differences(ours[key], theirs[key], path === "" ? key : `${path}.${key}`));
}
