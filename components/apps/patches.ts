/** Patches of RFC 6902 on an application's manifests, each held to what it says: what Kustomize lets through is refused. Pure. */
import { HomelabError } from "../../common/errors";
import type { Manifest, Patch, PatchOperation } from "./app-spec";

/** As far as it is used; loaded only where there are patches. One result an operation, null where it was done. */
interface Rfc6902 {
  applyPatch(object: object, patch: readonly PatchOperation[]): (Error | null)[];
}

const INDEX = /^(.*\/(?:0|[1-9]\d*))(?:\/|$)/;

/**
 * The last element of a list on the way of a path: `/spec/template/spec/containers/0`. Undefined where it goes through none; `-` adds
 * at the end and names none.
 */
const elementOf = (path: string): string | undefined => INDEX.exec(path)?.[1];

const textOf = ({ kind, name }: Pick<Patch, "kind" | "name">): string => (name === undefined ? kind : `${kind} ${name}`);

/** An element is named by its place alone, which moves when another comes before it: a `test` says which one is meant. */
function untested(operations: readonly PatchOperation[]): PatchOperation | undefined {
  const tested = new Set<string>();
  for (const operation of operations) {
    const element = elementOf(operation.path);
    if (element === undefined) continue;
    if (operation.op === "test") tested.add(element);
    else if (!tested.has(element)) return operation;
  }
  return undefined;
}

/** What each error of the library means for who wrote the patch. */
const REASONS: Readonly<Record<string, string>> = {
  MissingError: "there is nothing at that path",
  TestError: "what is there is not what the test says",
  InvalidOperationError: "there is no such operation",
};

/**
 * Applies the patches in place, in their order.
 * @throws HomelabError E_APP_PATCH for one that matches no object, one whose path is not there, a `test` that fails, and an element of a
 * list that is named by its index and not tested before
 * @public loaded only where there are patches
 */
export function applyPatches(app: string, manifests: readonly Manifest[], patches: readonly Patch[]): void {
  const { applyPatch } = require("rfc6902") as Rfc6902;
  const refuse = (patch: Patch, what: string, hint: string): never => {
    throw new HomelabError("E_APP_PATCH", `the patch of ${textOf(patch)} (${patch.why}): ${what}`, { subject: app, hint });
  };
  for (const patch of patches) {
    const chosen = manifests.filter(({ kind, metadata }) => kind === patch.kind && (patch.name === undefined || metadata.name === patch.name));
    if (chosen.length === 0) {
      const there = manifests.map(({ kind, metadata }) => `${kind} ${metadata.name}`).join(", ");
      refuse(patch, "matches nothing", `${app} has: ${there}`);
    }
    const moved = untested(patch.operations);
    if (moved !== undefined)
      refuse(patch, `${moved.op} ${moved.path} names an element by its index alone`, `put a test of its name before it, at ${elementOf(moved.path)}/name`);
    for (const manifest of chosen) {
      const { kind, metadata } = manifest;
      const identity = `${kind} ${metadata.namespace}/${metadata.name}`;
      const results = applyPatch(manifest, patch.operations);
      const failed = results.findIndex((result) => result !== null);
      const operation = patch.operations[failed];
      const error = results[failed];
      if (operation !== undefined && error !== null && error !== undefined)
        refuse(
          patch,
          `${operation.op} ${operation.path}: ${REASONS[error.name] ?? error.message}`,
          operation.op === "replace" ? "add makes what is not there" : "look at the object with homelab render",
        );
      if (`${manifest.kind} ${manifest.metadata.namespace}/${manifest.metadata.name}` !== identity)
        refuse(patch, `it makes another object of ${identity}`, "kind, name and namespace stay as they are");
    }
  }
}
