/** One comment of ours on a pull request: found by its hidden marker over all pages, updated in place, made where there is none. */
import { HomelabError } from "../../common/errors";

export interface HostComment {
  readonly id: number;
  readonly body: string;
  /** Whether the account that comments now wrote it: the marker alone is text that anybody may write. */
  readonly isOurs: boolean;
}

/** What the two hosts have in common. A status that is not 2xx is a {@link HostError}. */
export interface CommentHost {
  /** As the host's pages name it: `owner/name#7`, `group/name!7`. */
  readonly where: string;
  list(): Promise<HostComment[]>;
  create(body: string): Promise<void>;
  update(id: number, body: string): Promise<void>;
  remove(id: number): Promise<void>;
}

/** An answer of the host that is no success. */
export class HostError extends HomelabError {
  constructor(
    readonly status: number,
    message: string,
    details: ConstructorParameters<typeof HomelabError>[2] = {},
  ) {
    super("E_COMMENT_HOST", message, details);
    this.name = "HostError";
  }
}

/** What was asked for is there no more: GitHub says 410 of an issue that was deleted. */
export const isGone = (thrown: unknown): boolean => thrown instanceof HostError && (thrown.status === 404 || thrown.status === 410);
/** The host may have done what it did not say it did. */
export const isUncertain = (thrown: unknown): boolean => !(thrown instanceof HostError) || thrown.status >= 500;

/** The oldest of ours stays, so that links to it do; younger ones, which two runs at once may have made, go. */
async function updateFirst(host: CommentHost, marker: string, body: string): Promise<boolean> {
  const ours = (await host.list()).filter((comment) => comment.isOurs && comment.body.startsWith(marker)).sort((a, b) => a.id - b.id);
  const [first, ...more] = ours;
  if (first === undefined) return false;
  if (first.body.trimEnd() !== body.trimEnd()) {
    try {
      await host.update(first.id, body);
    } catch (thrown) {
      // It was deleted after it was listed: the next of ours, or none.
      if (isGone(thrown)) return updateFirst(host, marker, body);
      throw thrown;
    }
  }
  for (const { id } of more) await host.remove(id);
  return true;
}

/**
 * @param body begins with `marker`
 * @returns what was done
 */
export async function postOneComment(host: CommentHost, marker: string, body: string): Promise<"updated" | "created"> {
  if (await updateFirst(host, marker, body)) return "updated";
  try {
    await host.create(body);
  } catch (thrown) {
    // A second try might make a second comment: look first.
    if (!isUncertain(thrown)) throw thrown;
    if (await updateFirst(host, marker, body)) return "created";
    await host.create(body);
  }
  return "created";
}
