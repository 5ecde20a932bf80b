/**
 * Appends a digest of its data to the name of each ConfigMap. A change makes another ConfigMap, so the Deployment rolls out new
 * replicas, and the previous ones keep theirs until they end. Pure; loads no Pulumi SDK.
 */
import { createHash } from "node:crypto";
import type { Manifest, StagedManifest } from "./app-spec";

const LENGTH = 10;

/** The order of the keys does not matter. */
function digestOf(data: unknown): string {
  const entries = Object.entries((data ?? {}) as Record<string, unknown>).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return createHash("sha256").update(JSON.stringify(entries)).digest("hex").slice(0, LENGTH);
}

/** Keys whose `name` is that of a ConfigMap. */
const REFERENCES = new Set(["configMapRef", "configMapKeyRef", "configMap"]);

/** Replaces the names in all references to ConfigMaps below a value, in place. */
function rename(value: unknown, names: ReadonlyMap<string, string>): void {
  if (typeof value !== "object" || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    if (REFERENCES.has(key) && typeof inner === "object" && inner !== null && "name" in inner) {
      const reference = inner as { name: unknown };
      reference.name = names.get(String(reference.name)) ?? reference.name;
    }
    rename(inner, names);
  }
}

export function withDigests(staged: readonly StagedManifest[]): StagedManifest[] {
  const names = new Map(staged.flatMap(({ manifest }) => (manifest.kind === "ConfigMap" ? [[manifest.metadata.name, nameOf(manifest)] as const] : [])));
  return staged.map((one) => {
    const { manifest } = one;
    rename(manifest, names);
    if (manifest.kind !== "ConfigMap") return one;
    return { ...one, manifest: { ...manifest, metadata: { ...manifest.metadata, name: nameOf(manifest) } } };
  });
}

const nameOf = ({ metadata, ...rest }: Manifest): string => `${metadata.name}-${digestOf(rest["data"])}`;
