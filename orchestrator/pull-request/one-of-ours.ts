/** One thing of ours among those of a host: found by its hidden marker over all pages, updated in place, made where there is none. */
import { isGone, isUncertain } from "./host-error";

export interface Listed {
  /** As the host's pages name it. */
  readonly id: number;
  /** That of ours begins with the marker. */
  readonly body: string;
  /** Whether the account that asks now wrote it: the marker alone is text that anybody may write. */
  readonly isOurs: boolean;
}

/** How the one is kept. What fails is a HostError. */
export interface Keeping<T extends Listed> {
  list(): Promise<T[]>;
  /** Whether it says already what it should. */
  isCurrent(found: T): boolean;
  update(id: number): Promise<void>;
  create(): Promise<void>;
  /** Of a younger one, where there are two. */
  drop(id: number, kept: T): Promise<void>;
}

/** Those of ours, the oldest first. */
export const oursAmong = <T extends Listed>(listed: readonly T[], marker: string): T[] =>
  listed.filter(({ isOurs, body }) => isOurs && body.startsWith(marker)).toSorted((a, b) => a.id - b.id);

/** The oldest of ours stays, so that links to it do; younger ones, which two runs at once may have made, go. */
async function updateFirst<T extends Listed>(keeping: Keeping<T>, marker: string): Promise<boolean> {
  const [first, ...more] = oursAmong(await keeping.list(), marker);
  if (first === undefined) return false;
  if (!keeping.isCurrent(first)) {
    try {
      await keeping.update(first.id);
    } catch (thrown) {
      // It was deleted after it was listed: the next of ours, or none.
      if (isGone(thrown)) return updateFirst(keeping, marker);
      throw thrown;
    }
  }
  for (const { id } of more) await keeping.drop(id, first);
  return true;
}

/** @returns what was done */
export async function keepOne<T extends Listed>(keeping: Keeping<T>, marker: string): Promise<"updated" | "created"> {
  if (await updateFirst(keeping, marker)) return "updated";
  try {
    await keeping.create();
  } catch (thrown) {
    // A second try might make a second one: look first.
    if (!isUncertain(thrown)) throw thrown;
    if (await updateFirst(keeping, marker)) return "created";
    await keeping.create();
  }
  return "created";
}
