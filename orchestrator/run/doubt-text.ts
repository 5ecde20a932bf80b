/** What earlier runs left, in words. */
import type { RunsFold } from "../store/run-fold";

/** `; in doubt: dev`, or nothing. */
const listed = (what: string, stacks: readonly string[]): string => (stacks.length === 0 ? "" : `; ${what}: ${stacks.join(", ")}`);

/** Lines without their line ends; none where nothing is in doubt or left to do. */
export function doubtLines({ unfinished, inDoubt, damaged }: RunsFold): string[] {
  const lines: string[] = [];
  if (unfinished !== undefined)
    lines.push(`an earlier run (${unfinished.operation}) did not end in order${listed("in doubt", inDoubt)}${listed("not done", unfinished.left)}`);
  else if (inDoubt.length > 0) lines.push(`an earlier run was cut in the middle of a stack${listed("in doubt", inDoubt)}`);
  for (const { dir, damage, stacks } of damaged)
    lines.push(
      stacks === undefined
        ? `${dir}: ${damage}, so it is not known which stacks that run left in doubt: \`homelab refresh\` reads all of them again, then remove that folder`
        : `${dir}: ${damage}, so all stacks of that run are in doubt, except those whose end can be read`,
    );
  return lines;
}
