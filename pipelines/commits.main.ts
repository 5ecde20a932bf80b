/** `npm run commits`: whether each commit of a change, and its title, is conventional. */
import { counted } from "../common/counted";
import { changeOf } from "./change";
import { problemOf, TYPES } from "./conventional";
import { runMain } from "./failure";
import { commitsOf } from "./git";

runMain(() => {
  const { range, title } = changeOf(process.cwd());
  const commits = commitsOf(process.cwd(), range);
  const named = commits.map(({ hash, subject }) => ({ what: `commit ${hash.slice(0, 12)}`, subject }));
  const wrong = (title === undefined ? named : [{ what: "the title", subject: title }, ...named])
    .map(({ what, subject }) => ({ what, subject, problem: problemOf(subject) }))
    .filter(({ problem }) => problem !== undefined);
  // JSON quotes it: a subject cannot give the host's log a command.
  for (const { what, subject, problem } of wrong) process.stderr.write(`error: ${what} ${JSON.stringify(subject)}: ${problem}\n`);
  if (wrong.length > 0) {
    process.stderr.write(`  next: \`git rebase -i\` and reword them, as type(scope): subject, with one of ${Object.keys(TYPES).join(", ")}\n`);
    return 1;
  }
  process.stdout.write(`${counted(commits.length, "commit")} checked\n`);
  return 0;
});
