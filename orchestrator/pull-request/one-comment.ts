/** One comment of ours on a pull request, kept as {@link keepOne} does. */
import { keepOne, type Listed } from "./one-of-ours";

export type HostComment = Listed;

/** What the two hosts have in common. A status that is not 2xx is a HostError. */
export interface CommentHost {
  /** As the host's pages name it: `owner/name#7`, `group/name!7`. */
  readonly where: string;
  list(): Promise<HostComment[]>;
  create(body: string): Promise<void>;
  update(id: number, body: string): Promise<void>;
  remove(id: number): Promise<void>;
}

/**
 * @param body begins with `marker`
 * @returns what was done
 */
export const postOneComment = (host: CommentHost, marker: string, body: string): Promise<"updated" | "created"> =>
  keepOne(
    {
      list: () => host.list(),
      isCurrent: (comment) => comment.body.trimEnd() === body.trimEnd(),
      update: (id) => host.update(id, body),
      create: () => host.create(body),
      drop: (id) => host.remove(id),
    },
    marker,
  );
