/** Applies patches of RFC 6902 to an application's manifests. Stricter than Kustomize: a patch that does not fit is an error. Pure. */
import { HomelabError } from "../../common/errors";
import type { Manifest, Patch, PatchOperation } from "./app-spec";

/** The part of the library that is used. Loaded only where there are patches. One result for each operation, null where it succeeded. */
interface Rfc6902 {
  applyPatch(object: object, patch: readonly PatchOperation[]): (Error | null)[];
  Pointer: { fromJSON(path: string): { readonly tokens: readonly string[]; evaluate(object: object): { readonly parent: unknown; readonly key: string } } };
}

const INDEX = /^(.*\/(?:0|[1-9]\d*))(?:\/|$)/;

/**
 * The last list element that a path leads through: `/spec/template/spec/containers/0`. Undefined where there is none: `-` means the end
 * of a list, not an element.
 */
const elementOf = (path: string): string | undefined => INDEX.exec(path)?.[1];

const textOf = ({ kind, name }: Pick<Patch, "kind" | "name">): string => (name === undefined ? kind : `${kind} ${name}`);

/** Paths that an operation reads or changes. */
const pathsOf = (operation: PatchOperation): string[] => ("from" in operation ? [operation.from, operation.path] : [operation.path]);

/** The paths at which an operation moves the elements of a list that come after. */
function shiftsAt(operation: PatchOperation): string[] {
  const shifting = operation.op === "move" ? pathsOf(operation) : operation.op === "test" || operation.op === "replace" ? [] : [operation.path];
  return shifting.filter((path) => path === elementOf(path));
}

/**
 * The first path through a list element without a `test` of that element before it. An index alone means another element as soon as
 * one is inserted before it. The patch itself can do that too, so a test no longer counts once an element of its list was added or removed.
 */
function untested(operations: readonly PatchOperation[]): { op: string; path: string } | undefined {
  const tested = new Set<string>();
  for (const operation of operations) {
    for (const path of pathsOf(operation)) {
      const element = elementOf(path);
      if (element === undefined) continue;
      if (operation.op === "test") tested.add(element);
      else if (!tested.has(element)) return { op: operation.op, path };
    }
    for (const path of shiftsAt(operation)) {
      const list = path.slice(0, path.lastIndexOf("/") + 1);
      for (const element of tested) if (element.startsWith(list)) tested.delete(element);
    }
  }
  return undefined;
}

/** Names that the library passes over, so that the operation would change the object around them. */
const PASSED_OVER = new Set(["__proto__", "constructor", "prototype"]);

/** What the library would accept, although it changes nothing or something else. */
function misread(manifest: Manifest, operation: PatchOperation, { Pointer }: Rfc6902): string | undefined {
  for (const path of pathsOf(operation)) {
    const pointer = Pointer.fromJSON(path);
    const passed = pointer.tokens.find((token) => PASSED_OVER.has(token));
    if (passed !== undefined) return `${passed} is no field of an object`;
    const { parent, key } = pointer.evaluate(manifest);
    const isNew = key === "-" && path === operation.path && ["add", "copy", "move"].includes(operation.op);
    if (Array.isArray(parent) && !isNew && !/^(0|[1-9]\d*)$/.test(key)) return `${path} names no element of a list`;
  }
  return undefined;
}

/** What makes an object this one. Undefined where it has no metadata. */
function identityOf({ apiVersion, kind, metadata }: Partial<Manifest>): string | undefined {
  return metadata === undefined || metadata === null ? undefined : `${apiVersion} ${kind} ${metadata.namespace}/${metadata.name}`;
}

/** Fields of an object that hold all others. */
const partsOf = (manifest: Manifest): string => ["spec", "data"].filter((part) => typeof manifest[part] === "object" && manifest[part] !== null).join();

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
  const library = require("rfc6902") as Rfc6902;
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
      const [identity, parts] = [identityOf(manifest), partsOf(manifest)];
      const title = `${manifest.kind} ${manifest.metadata.namespace}/${manifest.metadata.name}`;
      for (const operation of patch.operations) {
        const wrong = misread(manifest, operation, library);
        if (wrong !== undefined) refuse(patch, `${operation.op} ${operation.path}: ${wrong}`, "look at the object with homelab render");
        const [error] = library.applyPatch(manifest, [operation]);
        if (error !== null && error !== undefined)
          refuse(
            patch,
            `${operation.op} ${operation.path}: ${REASONS[error.name] ?? error.message}`,
            operation.op === "replace" ? "use `add` for a value that does not exist" : "look at the object with homelab render",
          );
      }
      if (identityOf(manifest) !== identity) refuse(patch, `it changes the identity of ${title}`, "leave apiVersion, kind, name and namespace as they are");
      if (partsOf(manifest) !== parts) refuse(patch, `it takes the whole ${parts} from ${title}`, "change the fields in it");
    }
  }
}
