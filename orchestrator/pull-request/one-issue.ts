/** One open issue of ours, kept as {@link keepOne} does, and closed when nothing is left to be done. */
import { isGone } from "./host-error";
import { keepOne, type Listed, oursAmong } from "./one-of-ours";

export interface IssueText {
  /** One line, of our own words. */
  readonly title: string;
  /** Begins with the marker. */
  readonly body: string;
}

export type HostIssue = IssueText & Listed;

/** What the two hosts have in common. A status that is not 2xx is a HostError. */
export interface IssueHost {
  /** As the host's pages name it: `owner/name`, `project 42`. */
  readonly where: string;
  listOpen(): Promise<HostIssue[]>;
  open(text: IssueText): Promise<void>;
  update(id: number, text: IssueText): Promise<void>;
  /** Writes its last text and closes it, in one request. */
  close(id: number, text: IssueText): Promise<void>;
}

/** @returns what was done */
export async function openOneIssue(host: IssueHost, marker: string, text: IssueText): Promise<"updated" | "opened"> {
  const done = await keepOne<HostIssue>(
    {
      list: () => host.listOpen(),
      isCurrent: ({ title, body }) => title === text.title && body.trimEnd() === text.body.trimEnd(),
      update: (id) => host.update(id, text),
      create: () => host.open(text),
      drop: (id, kept) => host.close(id, { title: text.title, body: `${marker}\n\nThe same as #${kept.id}.\n` }),
    },
    marker,
  );
  return done === "created" ? "opened" : done;
}

/** @returns how many were closed */
export async function closeIssues(host: IssueHost, marker: string, text: IssueText): Promise<number> {
  const open = oursAmong(await host.listOpen(), marker);
  for (const { id } of open) {
    try {
      await host.close(id, text);
    } catch (thrown) {
      if (!isGone(thrown)) throw thrown;
    }
  }
  return open.length;
}
