/** Entries of Vault that Git no longer has. They are listed, and deleted only if somebody names them. */
import { HomelabError } from "../common/errors";
import { CLUSTERS, ENVIRONMENTS } from "../common/vault-layout";
import type { VaultApi } from "./vault-api";

/** Written by the program itself, not from secrets/: kubeconfigs, and the values of one environment. */
const WRITTEN_BY_STACKS = [`${CLUSTERS}/`, `${ENVIRONMENTS}/`];

async function allPaths(api: VaultApi, token: string, below = ""): Promise<string[]> {
  const paths: string[] = [];
  for (const name of await api.list(token, below)) paths.push(...(name.endsWith("/") ? await allPaths(api, token, below + name) : [below + name]));
  return paths;
}

/** @param inGit paths of secrets/. @returns paths below the mount, in order */
export async function findOrphans(api: VaultApi, token: string, inGit: ReadonlySet<string>): Promise<string[]> {
  const paths = await allPaths(api, token);
  return paths.filter((path) => !inGit.has(path) && !WRITTEN_BY_STACKS.some((start) => path.startsWith(start))).toSorted();
}

/**
 * Deletes entries with all their versions. Nothing is deleted where one of them is still in Git, or not there at all.
 * @throws HomelabError E_VAULT_ENTRY; where Vault stops half-way its error, with what was deleted before and what is left
 */
export async function deleteEntries(api: VaultApi, token: string, inGit: ReadonlySet<string>, paths: readonly string[]): Promise<string[]> {
  const orphans = await findOrphans(api, token, inGit);
  const wrong = paths.find((path) => !orphans.includes(path));
  if (wrong !== undefined) {
    throw new HomelabError("E_VAULT_ENTRY", inGit.has(wrong) ? `"${wrong}" is in Git` : `Vault has no entry "${wrong}" that is missing in Git`, {
      subject: wrong,
      hint: inGit.has(wrong) ? "remove its file from Git first; nothing was deleted" : "`homelab vault orphans` lists them; nothing was deleted",
    });
  }
  const deleted: string[] = [];
  for (const path of new Set(paths)) {
    try {
      await api.remove(token, path);
    } catch (cause) {
      if (!(cause instanceof HomelabError)) throw cause;
      throw new HomelabError(
        cause.code,
        `${cause.message}. Deleted before: ${deleted.join(", ") || "nothing"}; still there: ${paths.filter((other) => !deleted.includes(other)).join(", ")}`,
        { cause: cause.cause, subject: path, ...(cause.hint === undefined ? {} : { hint: cause.hint }) },
      );
    }
    deleted.push(path);
  }
  return deleted;
}
