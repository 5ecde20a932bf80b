/** Applies patches of RFC 6902 to an application's manifests. Stricter than Kustomize: a patch that does not fit is an error. Pure. */
import { HomelabError } from "../../common/errors";
import type { Manifest, Patch, PatchOperation } from "./app-spec";

/** The part of the library that is used. Loaded only where there are patches. One result for each operation, null where it succeeded. */
interface Rfc6902 {
  applyPatch(object: object, patch: readonly PatchOperation[]): (Error | null)[];
}

const INDEX = /^(.*\/(?:0|[1-9]\d*))(?:\/|$)/;

/**
 * The last list element that a path leads through: `/spec/template/spec/containers/0`. Undefined where there is none: `-` means the end
 * of a list, not an element.
 */
const elementOf = (path: string): string | undefined => INDEX.exec(path)?.[1];

const textOf = ({ kind, name }: Pick<Patch, "kind" | "name">): string => (name === undefined ? kind : `${kind} ${name}`);

/**
 * The first operation on a list element without a `test` of that element before it. An index alone means another element as soon as
 * one is inserted before it.
 */
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

/** The library's errors, in words for the author of the patch. */
const REASONS: Readonly<Record<string, string>> = {
  MissingError: "there is nothing at that path",
  TestError: "the value is not the one that the test expects",
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
          operation.op === "replace" ? "use `add` for a value that does not exist" : "look at the object with homelab render",
        );
      if (`${manifest.kind} ${manifest.metadata.namespace}/${manifest.metadata.name}` !== identity)
        refuse(patch, `it changes the identity of ${identity}`, "leave kind, name and namespace as they are");
    }
  }
}
