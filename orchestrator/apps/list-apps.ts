/** `homelab apps`: which image runs where, since when, and what waits to go on. */
import * as fs from "node:fs";
import * as path from "node:path";
import { projectRoot } from "../../common/paths";
import { isSameImage, shortImage } from "../charts/image-reference";
import type { Arguments } from "../cli/command";
import { EXIT, type ExitCode } from "../cli/exit-codes";
import type { Session } from "../cli/session";
import { isAfter, readApps, type StackApps } from "./app-facts";
import { lineSince } from "./git-history";
import { lineOf } from "./settings-images";

interface Row {
  readonly app: string;
  readonly stack: string;
  readonly image: string;
  /** Of the commit that wrote it, as ISO 8601; `not committed`; undefined where the settings do not name it. */
  readonly since: string | undefined;
  /** Stage before with another image, which can be promoted. */
  readonly waiting: string | undefined;
  readonly delivery: string;
  readonly hosts: readonly string[];
}

async function sinceOf(stack: string, app: string, movable: boolean): Promise<string | undefined> {
  if (!movable) return undefined;
  const file = `Pulumi.${stack}.yaml`;
  const line = lineOf(fs.readFileSync(path.join(projectRoot(), file), "utf8"), app);
  if (line === undefined) return undefined;
  return (await lineSince(projectRoot(), file, line))?.toISOString() ?? "not committed";
}

/** The nearest stage before that has the application, where it runs another image. */
function waitingFor(stacks: readonly StackApps[], stack: StackApps, app: string, image: string): string | undefined {
  const before = stacks.filter(({ name, apps }) => isAfter(stacks, stack.name, name) && apps.some((own) => own.name === app && own.movable));
  const nearestOne = before.find(({ name }) => before.every((other) => other.name === name || isAfter(stacks, name, other.name)));
  const other = nearestOne?.apps.find(({ name }) => name === app)?.image;
  return other === undefined || isSameImage(other, image) ? undefined : nearestOne?.name;
}

function table(rows: readonly Row[]): string {
  const cells = rows.map(({ app, stack, image, since, waiting }) => [
    app,
    stack,
    shortImage(image),
    since === undefined ? "" : since.replace("T", " ").slice(0, 16),
    waiting === undefined ? "" : `waiting: that of ${waiting}`,
  ]);
  const widths = [0, 1, 2, 3].map((column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  return cells
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join("  ")
          .trimEnd()}\n`,
    )
    .join("");
}

/** @throws HomelabError for whatever the site and its settings do not say together; E_GIT */
export async function listApps(args: Arguments, session: Session): Promise<ExitCode> {
  const { stacks } = await readApps();
  const rows: Row[] = [];
  for (const stack of stacks)
    for (const { name: app, image, movable, delivery, hosts } of stack.apps)
      rows.push({
        app,
        stack: stack.name,
        image,
        since: await sinceOf(stack.name, app, movable),
        waiting: waitingFor(stacks, stack, app, image),
        delivery,
        hosts,
      });
  const sorted = rows.toSorted((a, b) => (a.app === b.app ? 0 : a.app < b.app ? -1 : 1));
  session.out(args.flag("json") ? `${JSON.stringify({ version: 1, apps: sorted }, null, 2)}\n` : table(sorted));
  return EXIT.done;
}
