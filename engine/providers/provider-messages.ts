/** Converts between messages of the provider's protocol and the engine's own values: resources, check failures, differences. */
import type * as pb from "@pulumi/pulumi/proto/provider_pb.js";

export interface CheckFailure {
  property: string;
  reason: string;
}

export interface DiffResult {
  changes: "unknown" | "none" | "some";
  replaces: string[];
  deleteBeforeReplace: boolean;
  diffs: string[];
  detailedDiff: Record<string, { kind: number; inputDiff: boolean }> | undefined;
}

export interface ResourceRef {
  urn: string;
  type: string;
  name: string;
}

interface RefRequest {
  setUrn(value: string): unknown;
  setType(value: string): unknown;
  setName(value: string): unknown;
}

export function fillRef(request: RefRequest, ref: ResourceRef): void {
  request.setUrn(ref.urn);
  request.setType(ref.type);
  request.setName(ref.name);
}

export function diffResult(reply: pb.DiffResponse): DiffResult {
  const detailed = new Map<string, { kind: number; inputDiff: boolean }>();
  if (reply.getHasdetaileddiff()) {
    reply.getDetaileddiffMap().forEach((entry: pb.PropertyDiff, key: string) => {
      detailed.set(key, { kind: entry.getKind(), inputDiff: entry.getInputdiff() });
    });
  }
  return {
    changes: reply.getChanges() === 1 ? "none" : reply.getChanges() === 2 ? "some" : "unknown",
    replaces: reply.getReplacesList(),
    deleteBeforeReplace: reply.getDeletebeforereplace(),
    diffs: reply.getDiffsList(),
    detailedDiff: reply.getHasdetaileddiff() ? Object.fromEntries(detailed) : undefined,
  };
}

/** What a check or an invoke refuses, by property. */
export const failuresOf = (reply: { getFailuresList(): pb.CheckFailure[] }): CheckFailure[] =>
  reply.getFailuresList().map((failure) => ({ property: failure.getProperty(), reason: failure.getReason() }));
