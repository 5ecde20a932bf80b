/** What goes into the shared Secret. Pure. */
import { HomelabError } from "../../../common/errors";
import { SHARED_SECRET } from "../namespace-grants";
import type { Place } from "../place";
import type { SharedSecretsOptions } from "./options";

/** The entries below a path, with the names of their keys. */
export const sharedEntries = ({ below }: SharedSecretsOptions, { entries }: Pick<Place, "entries">): Map<string, readonly string[]> =>
  new Map([...entries].filter(([path]) => path.startsWith(`${below}/`)));

/**
 * The entry of each key in the flat Secret.
 * @throws HomelabError E_SECRET_COLLISION where two entries have a key of one name: only one of them could be in the Secret
 */
export function flatKeys(entries: ReadonlyMap<string, readonly string[]>): Map<string, string> {
  const owner = new Map<string, string>();
  for (const [path, keys] of entries) {
    for (const key of keys) {
      const other = owner.get(key);
      if (other !== undefined) {
        throw new HomelabError("E_SECRET_COLLISION", `"${key}" is a key of ${other} and of ${path}: ${SHARED_SECRET} can hold one of them`, {
          subject: path,
          hint: "leave one of the entries out of the shared Secret, or give the namespace that needs it a SecretAccess of its own",
        });
      }
      owner.set(key, path);
    }
  }
  return owner;
}
