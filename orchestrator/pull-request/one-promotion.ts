/**
 * A promotion as a pull request: a branch with one commit on top of main's head, and a request for it. The branch is named by application,
 * stage and digest. So the same command finds what an interrupted or earlier one did, whoever ran it, and never opens a second request.
 */
import { HomelabError } from "../../common/errors";
import { isUncertain } from "./host-error";

export const BASE = "main";

/** What a request is made of. */
export interface Change {
  readonly branch: string;
  readonly title: string;
  readonly body: string;
  /** Whole texts by path from the repository's top; undefined: the file goes. */
  readonly files: ReadonlyMap<string, string | undefined>;
}

export interface PullFacts {
  readonly url: string;
  readonly state: "open" | "closed";
}

/** What the two hosts have in common. A status that is not 2xx is a HostError. */
export interface PromotionHost {
  /** As the host's pages name it. */
  readonly where: string;
  /** The head commit of a branch; undefined where there is no such branch. */
  headOf(branch: string): Promise<string | undefined>;
  /** A file as a branch has it; undefined where it does not. */
  textAt(branch: string, file: string): Promise<string | undefined>;
  /** Points the branch at one new commit on top of `base`, whatever it pointed at before. */
  commit(change: Change, base: string): Promise<void>;
  /** The requests of the branch into {@link BASE}, the newest first. */
  pulls(branch: string): Promise<PullFacts[]>;
  open(change: Change): Promise<void>;
}

/** Whether the branch has the change already: each file as it should be. */
async function isThere(host: PromotionHost, { branch, files }: Change): Promise<boolean> {
  if ((await host.headOf(branch)) === undefined) return false;
  for (const [file, text] of files) if ((await host.textAt(branch, file)) !== text) return false;
  return true;
}

/** Does the work. An error does not count where the work is done all the same; where that is uncertain, the work is tried once more. */
async function surely(work: () => Promise<void>, isDone: () => Promise<boolean>): Promise<void> {
  try {
    await work();
  } catch (thrown) {
    if (await isDone()) return;
    if (!isUncertain(thrown)) throw thrown;
    await work();
  }
}

/**
 * @param head commit of the checkout
 * @returns page of the request, and whether this run opened it
 * @throws HomelabError E_PROMOTION where the checkout is not at main's head; HostError
 */
export async function openPull(host: PromotionHost, change: Change, head: string): Promise<{ url: string; opened: boolean }> {
  const openOne = async (): Promise<string | undefined> => (await host.pulls(change.branch)).find(({ state }) => state === "open")?.url;
  const known = await openOne();
  if (known !== undefined && (await isThere(host, change))) return { url: known, opened: false };
  const base = await host.headOf(BASE);
  if (base !== head)
    throw new HomelabError(
      "E_PROMOTION",
      `the checkout is at ${head.slice(0, 12)}, and ${BASE} of ${host.where} ${base === undefined ? "is not there" : `at ${base.slice(0, 12)}`}`,
      {
        subject: host.where,
        hint: `git switch ${BASE} && git pull, then run it again`,
      },
    );
  if (!(await isThere(host, change)))
    await surely(
      () => host.commit(change, base),
      () => isThere(host, change),
    );
  if (known !== undefined) return { url: known, opened: false };
  await surely(
    () => host.open(change),
    async () => (await openOne()) !== undefined,
  );
  const url = await openOne();
  if (url === undefined) throw new HomelabError("E_PROMOTION", `${host.where} has opened no pull request of ${change.branch}`, { subject: host.where });
  return { url, opened: true };
}
