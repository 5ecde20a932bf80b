/** States that the Pulumi CLI built (the recorded cases), as files that either engine imports. */
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import type { Entry, Json } from "../engine/normalise";
import type { RecordedCase } from "../engine/recorded-case";

const CASES = path.join(__dirname, "../engine/cases");
const PREFIX = "urn:pulumi:dev::conf::";
const VERSION = "v3.260.0";

export const recordedCase = (name: string): RecordedCase => JSON.parse(fs.readFileSync(path.join(CASES, `${name}.json`), "utf8"));

/** Adds what the recording leaves out because it differs from run to run: URN prefixes, UUIDs, times. */
function restored(value: Json | undefined): Json {
  if (Array.isArray(value)) return value.map(restored);
  if (typeof value === "object" && value !== null) return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, restored(item)]));
  if (typeof value !== "string") return value ?? null;
  const ids = value.replace(/<uuid [^>]*>/g, (found) => {
    const hex = createHash("sha256").update(found).digest("hex");
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
  });
  return /^[\w:$/-]+::[\w-]+/.test(ids) && ids.includes(":") ? `${PREFIX}${ids}` : ids;
}

const needs = (r: Entry): string[] => [...(r.dependencies ?? []), ...(r.parent ? [r.parent] : []), ...(r.provider ? [r.provider.replace(/::[^:]*$/, "")] : [])];

/** The recording is sorted by URN; a state has what is needed first. */
function inOrder(resources: readonly Entry[]): Entry[] {
  const left = [...resources];
  const done: Entry[] = [];
  while (left.length > 0) {
    const at = left.findIndex((r) => needs(r).every((need) => !left.some((other) => other.urn === need)));
    done.push(...left.splice(Math.max(at, 0), 1));
  }
  return done;
}

/** An export as `stack import` takes it, secrets in the clear. */
export function exportOf(state: Json): string {
  const deployment = restored(state) as Record<string, Json>;
  const manifest = { time: "2026-01-01T00:00:00Z", magic: createHash("sha256").update(VERSION).digest("hex"), version: VERSION };
  return JSON.stringify({ version: 3, deployment: { ...deployment, manifest, resources: inOrder((deployment["resources"] ?? []) as Entry[]) } });
}
