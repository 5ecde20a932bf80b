/** What earlier runs left, in words. */
import type { RunsFold } from "../store/run-fold";

const names = (stacks: readonly string[]): string => stacks.join(", ") || "nothing";

/** Lines without an end; none where all is settled. */
export function doubtLines({ unfinished, inDoubt, damaged }: RunsFold): string[] {
  const lines: string[] = [];
  if (unfinished !== undefined)
    lines.push(`an earlier run (${unfinished.operation}) did not end in order; in doubt: ${names(inDoubt)}; not done: ${names(unfinished.left)}`);
  else if (inDoubt.length > 0) lines.push(`a worker of an earlier run was killed; in doubt: ${names(inDoubt)}`);
  for (const { dir, damage, stacks } of damaged)
    lines.push(
      stacks === undefined
        ? `${dir}: ${damage}, so it is not known which stacks that run left in doubt: \`homelab refresh\` reads all of them again, then remove that folder`
        : `${dir}: ${damage}, so all stacks of that run that it did not surely end are in doubt`,
    );
  return lines;
}
