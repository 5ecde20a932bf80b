/** Keeps one comment or issue of ours on a host: finds it by its hidden marker in all pages, updates it in place, or creates it. */
import { isGone, isUncertain } from "./host-error";

export interface Listed {
  /** As the host's pages name it. */
  readonly id: number;
  /** Ours begins with the marker. */
  readonly body: string;
  /** Whether the account that asks now wrote it: the marker alone is text that anybody may write. */
  readonly isOurs: boolean;
}

/** How it is kept. Failures are HostErrors. */
export interface Keeping<T extends Listed> {
  list(): Promise<T[]>;
  /** Whether its text is up to date. */
  isCurrent(found: T): boolean;
  update(id: number): Promise<void>;
  create(): Promise<void>;
  /** Removes or closes a newer one, where there are several. */
  drop(id: number, kept: T): Promise<void>;
}

/** Ours, the oldest first. */
export const oursAmong = <T extends Listed>(listed: readonly T[], marker: string): T[] =>
  listed.filter(({ isOurs, body }) => isOurs && body.startsWith(marker)).toSorted((a, b) => a.id - b.id);

/** The oldest of ours stays, so that links to it stay valid. Newer ones, which simultaneous runs may have made, are removed. */
async function updateFirst<T extends Listed>(keeping: Keeping<T>, marker: string): Promise<boolean> {
  const [first, ...more] = oursAmong(await keeping.list(), marker);
  if (first === undefined) return false;
  if (!keeping.isCurrent(first)) {
    try {
      await keeping.update(first.id);
    } catch (thrown) {
      // It was deleted after it was listed: the next of ours is taken, where there is one.
      if (isGone(thrown)) return updateFirst(keeping, marker);
      throw thrown;
    }
  }
  for (const { id } of more) {
    try {
      await keeping.drop(id, first);
    } catch (thrown) {
      // Somebody else was faster.
      if (!isGone(thrown)) throw thrown;
    }
  }
  return true;
}

/** @returns what was done */
export async function keepOne<T extends Listed>(keeping: Keeping<T>, marker: string): Promise<"updated" | "created"> {
  if (await updateFirst(keeping, marker)) return "updated";
  try {
    await keeping.create();
  } catch (thrown) {
    // It may have been created all the same: look before a second try.
    if (!isUncertain(thrown)) throw thrown;
    if (await updateFirst(keeping, marker)) return "created";
    await keeping.create();
  }
  return "created";
}
