/** One open issue of ours: found by its hidden marker over all pages, updated in place, opened where there is none, closed when it is done with. */
import { HostError, isGone, isUncertain } from "./one-comment";

export interface IssueText {
  /** One line, of our own words. */
  readonly title: string;
  /** Begins with the marker. */
  readonly body: string;
}

export interface HostIssue extends IssueText {
  /** As the host's pages name it. */
  readonly id: number;
  /** Whether the account that asks now wrote it: the marker alone is text that anybody may write. */
  readonly isOurs: boolean;
}

/** What the two hosts have in common. A status that is not 2xx is a {@link HostError}. */
export interface IssueHost {
  /** As the host's pages name it: `owner/name`, `project 42`. */
  readonly where: string;
  listOpen(): Promise<HostIssue[]>;
  open(text: IssueText): Promise<void>;
  update(id: number, text: IssueText): Promise<void>;
  /** Writes the last words and closes it, in one request. */
  close(id: number, text: IssueText): Promise<void>;
}

async function ours(host: IssueHost, marker: string): Promise<HostIssue[]> {
  return (await host.listOpen()).filter((issue) => issue.isOurs && issue.body.startsWith(marker)).sort((a, b) => a.id - b.id);
}

const isSame = (issue: IssueText, text: IssueText): boolean => issue.title === text.title && issue.body.trimEnd() === text.body.trimEnd();

/** The oldest of ours stays, so that links to it do; younger ones, which two runs at once may have opened, are closed. */
async function updateFirst(host: IssueHost, marker: string, text: IssueText): Promise<boolean> {
  const [first, ...more] = await ours(host, marker);
  if (first === undefined) return false;
  if (!isSame(first, text)) {
    try {
      await host.update(first.id, text);
    } catch (thrown) {
      // It was deleted after it was listed: the next of ours, or none.
      if (isGone(thrown)) return updateFirst(host, marker, text);
      throw thrown;
    }
  }
  for (const { id } of more) await host.close(id, { title: text.title, body: `${marker}\n\nThe same as #${first.id}.\n` });
  return true;
}

/** @returns what was done */
export async function openOneIssue(host: IssueHost, marker: string, text: IssueText): Promise<"updated" | "opened"> {
  if (await updateFirst(host, marker, text)) return "updated";
  try {
    await host.open(text);
  } catch (thrown) {
    // A second try might open a second one: look first.
    if (!isUncertain(thrown)) throw thrown;
    if (await updateFirst(host, marker, text)) return "opened";
    await host.open(text);
  }
  return "opened";
}

/** @returns how many were closed */
export async function closeIssues(host: IssueHost, marker: string, text: IssueText): Promise<number> {
  const open = await ours(host, marker);
  for (const { id } of open) {
    try {
      await host.close(id, text);
    } catch (thrown) {
      if (!(thrown instanceof HostError) || !isGone(thrown)) throw thrown;
    }
  }
  return open.length;
}
