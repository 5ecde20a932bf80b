/** `homelab apps`: which image runs where, since when, and which images wait for promotion. */
import * as fs from "node:fs";
import * as path from "node:path";
import { projectRoot } from "../../common/paths";
import { isSameImage, shortImage } from "../charts/image-reference";
import { type Arguments, positive } from "../cli/arguments";
import { EXIT, type ExitCode } from "../cli/exit-codes";
import type { Session } from "../cli/session";
import { findStack, isAfter, readApps, type StackApps, settingsOf } from "./app-facts";
import { lineSince } from "./git-history";
import { type Rollout, withRollouts } from "./rollouts";
import { lineOf } from "./settings-images";

const NOT_COMMITTED = "not committed";

interface Row {
  readonly app: string;
  readonly stack: string;
  readonly image: string;
  /** Time of the commit that wrote it, in ISO 8601, or `not committed`; undefined where the settings do not name the image. */
  readonly since: string | undefined;
  /** The stage before, where it has another image, which can be promoted. */
  readonly waiting: string | undefined;
  readonly delivery: string;
  readonly hosts: readonly string[];
  /** Whether its cluster runs that image; only with `--rollout`. */
  readonly rollout?: Rollout;
}

async function sinceOf(stack: string, app: string, movable: boolean): Promise<string | undefined> {
  if (!movable) return undefined;
  const file = settingsOf(stack);
  const line = lineOf(fs.readFileSync(path.join(projectRoot(), file), "utf8"), app);
  if (line === undefined) return undefined;
  return (await lineSince(projectRoot(), file, line))?.toISOString() ?? NOT_COMMITTED;
}

/** The nearest earlier stage that has the application, if it runs another image. */
function waitingFor(stacks: readonly StackApps[], stack: StackApps, app: string, image: string): string | undefined {
  const before = stacks.filter(({ name, apps }) => isAfter(stacks, stack.name, name) && apps.some((own) => own.name === app && own.movable));
  const nearestOne = before.find(({ name }) => before.every((other) => other.name === name || isAfter(stacks, name, other.name)));
  const other = nearestOne?.apps.find(({ name }) => name === app)?.image;
  return other === undefined || isSameImage(other, image) ? undefined : nearestOne?.name;
}

function table(rows: readonly Row[]): string {
  const cells = rows.map(({ app, stack, image, since, waiting, rollout }) => [
    app,
    stack,
    shortImage(image),
    since === undefined ? "" : since.replace("T", " ").slice(0, 16),
    waiting === undefined ? "" : `waiting: that of ${waiting}`,
    ...(rollout === undefined ? [] : [rollout.state === "done" ? `runs: ${rollout.says}` : `does not run: ${rollout.says}`]),
  ]);
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
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

const HOUR_MS = 3_600_000;

function newerThan(rows: readonly Row[], hours: number, now: number): Row[] {
  // An image that is not committed yet is newer than all committed ones.
  return rows.filter(({ since }) => since !== undefined && (since === NOT_COMMITTED || Date.parse(since) > now - hours * HOUR_MS));
}

/** @throws HomelabError for errors in the site and its settings; E_GIT; E_STACK_UNKNOWN; with `--rollout` for a state that cannot be read */
export async function listApps(args: Arguments, session: Session): Promise<ExitCode> {
  const { stacks } = await readApps();
  const named = new Set(args.words.map((word) => findStack(stacks, word)));
  const all: Row[] = [];
  for (const stack of named.size === 0 ? stacks : stacks.filter((one) => named.has(one)))
    for (const { name: app, image, movable, delivery, hosts } of stack.apps)
      all.push({
        app,
        stack: stack.name,
        image,
        since: await sinceOf(stack.name, app, movable),
        waiting: waitingFor(stacks, stack, app, image),
        delivery,
        hosts,
      });
  const hours = args.text("newer-than");
  const chosen = hours === undefined ? all : newerThan(all, positive(hours, 1, "--newer-than"), session.clock.now());
  const listed = chosen.toSorted((a, b) => (a.app === b.app ? 0 : a.app < b.app ? -1 : 1));
  const minutes = args.text("rollout");
  const rows: readonly Row[] = minutes === undefined ? listed : await withRollouts(listed, positive(minutes, 1, "--rollout"), args, session);
  session.out(args.flag("json") ? `${JSON.stringify({ version: 1, apps: rows }, null, 2)}\n` : rows.length === 0 ? "no application is chosen\n" : table(rows));
  return rows.every(({ rollout }) => rollout === undefined || rollout.state === "done") ? EXIT.done : EXIT.failed;
}
