/** `homelab state backup | restore | repair | history`. What overwrites a state asks first, and keeps a copy of what was there. */
import * as path from "node:path";
import { HomelabError } from "../../common/errors";
import { type Arguments, positive, usageError } from "../cli/arguments";
import { EXIT, type ExitCode } from "../cli/exit-codes";
import { askByName, refuseUnasked } from "../cli/gate";
import type { Session } from "../cli/session";
import { changesText } from "../report/changes";
import { renderTable } from "../report/table";
import { forgetMachine } from "../state/forget-machine";
import type { EngineCommand } from "../state/pending-creates";
import { copyStates, readCopy, restoreState } from "../state/state-copies";
import { stackHistory } from "../state/state-history";
import { engineOf, engineRunner } from "../target/engine";
import { secretsPlace } from "../target/lab-secrets";
import { listStacks } from "../target/program";
import { besideRuns, openSite, type Site } from "../target/site";
import { queryAll } from "./query-stacks";
import { whileHeld } from "./while-held";

interface States {
  site: Site;
  /** The homelab's domain. */
  name: string;
  run: EngineCommand;
  /** The named stacks, or all, without those that do not exist. */
  stacks: string[];
  /** Of these, stacks that a run holds. */
  locked: ReadonlySet<string>;
}

async function statesOf(args: Arguments, session: Session): Promise<States> {
  const { results } = await queryAll("status", args, session);
  const site = await openSite(args.flag("lab"));
  const runner = engineRunner(engineOf(args).root, site.workDir);
  const there = results.filter(([, { state }]) => state?.exists === true);
  return {
    site,
    name: (await listStacks()).site,
    run: (words, env) => runner(words, { ...site.env, ...env }),
    stacks: there.map(([stack]) => stack),
    locked: new Set(there.filter(([, { state }]) => state?.locked === true).map(([stack]) => stack)),
  };
}

async function copyTo({ site, name, run }: States, stacks: readonly string[], dir: string, session: Session): Promise<void> {
  const takenAt = new Date(session.clock.now()).toISOString();
  const { stacks: taken } = await copyStates(run, stacks, dir, { site: name, kind: site.kind, takenAt });
  for (const [stack, { resources, pending }] of Object.entries(taken))
    session.out(`${stack}: ${resources} resources${pending === 0 ? "" : `, ${pending} pending operations`}\n`);
}

/** A new folder, named by the time. */
const newFolder = (site: Site, session: Session, why: string): string =>
  besideRuns(site.runsDir, "backups", `${new Date(session.clock.now()).toISOString().replaceAll(":", "-")}${why}`);

async function backUpStates(args: Arguments, session: Session): Promise<ExitCode> {
  const states = await statesOf(args, session);
  const given = args.text("to");
  const dir = given === undefined ? newFolder(states.site, session, "") : path.resolve(given);
  await copyTo(states, states.stacks, dir, session);
  session.out(`the states are in ${dir}, their secrets encrypted as they were\n`);
  return EXIT.done;
}

/** Overwrites states while no run can write them, and keeps a copy of the former ones. @param stacks that are about to be overwritten */
async function overwrite(states: States, what: string, stacks: readonly string[], session: Session, act: () => Promise<void>): Promise<void> {
  const held = stacks.find((stack) => states.locked.has(stack));
  if (held !== undefined)
    throw new HomelabError("E_LOCKED", `${held} is locked by a run`, {
      subject: held,
      hint: `wait for its end; a lock that nobody holds: homelab state unlock ${held}`,
    });
  await whileHeld(states.site.runsDir, what, session, async () => {
    const there = stacks.filter((stack) => states.stacks.includes(stack));
    if (there.length > 0) {
      const kept = newFolder(states.site, session, `-before-${what}`);
      await copyTo(states, there, kept, session);
      session.out(`what was there is kept in ${kept}\n`);
    }
    await act();
  });
}

function leftAsItWas(session: Session): ExitCode {
  session.out("nothing was changed\n");
  return EXIT.refused;
}

const asksFor = (args: Arguments): boolean => !args.flag("lab") && !args.flag("yes");

const OVERWRITES = "homelab state restore overwrites states of the real homelab";

/** The folder itself; for a backup of the module state-backup, a new folder with its decrypted states. */
async function openedCopy(dir: string, args: Arguments, session: Session): Promise<string> {
  const { isEncryptedCopy, openEncryptedCopy } = await import("../state/encrypted-copies");
  if (!isEncryptedCopy(dir)) return dir;
  if (asksFor(args)) refuseUnasked(session, OVERWRITES, false);
  const { loadAgeKeys } = await import("../../secrets/age-keys");
  const site = await openSite(args.flag("lab"));
  const opened = newFolder(site, session, "-opened");
  openEncryptedCopy(dir, loadAgeKeys(secretsPlace(site.env).ageKeyFile), opened, site.kind);
  session.out(`the backup is opened in ${opened}\n`);
  return opened;
}

async function restoreStates(args: Arguments, session: Session): Promise<ExitCode> {
  const from = args.text("from");
  if (from === undefined) throw usageError("give the folder of the copy: --from DIR", "`homelab state backup` says where it writes one");
  const dir = await openedCopy(path.resolve(from), args, session);
  const copy = readCopy(dir, args.words);
  const stacks = args.words.length === 0 ? Object.keys(copy.stacks) : args.words;
  if (asksFor(args)) refuseUnasked(session, OVERWRITES, false);
  const states = await statesOf({ ...args, words: stacks }, session);
  const place = (site: string, kind: string): string => (kind === "lab" ? `the lab of ${site}` : site);
  if (place(copy.site, copy.kind) !== place(states.name, states.site.kind))
    throw new HomelabError("E_STATE_COPY", `${dir} is of ${place(copy.site, copy.kind)}, and this is ${place(states.name, states.site.kind)}`, {
      subject: dir,
      hint: "restore it where it was taken",
    });
  session.out(`from ${copy.takenAt}: ${stacks.map((stack) => `${stack} (${copy.stacks[stack]?.resources ?? 0} resources)`).join(", ")}\n`);
  if (asksFor(args) && !(await askByName(session, "This puts these copies in the place of the states of", states.name))) return leftAsItWas(session);
  await overwrite(states, "restore", stacks, session, async () => {
    for (const stack of stacks) await restoreState(states.run, stack, dir);
  });
  session.out(`restored; the real world may have gone on: \`homelab refresh ${stacks.join(" ")}${args.flag("lab") ? " --lab" : ""}\` reads it\n`);
  return EXIT.done;
}

async function repairStates(args: Arguments, session: Session): Promise<ExitCode> {
  if (asksFor(args)) refuseUnasked(session, "homelab state repair edits states of the real homelab", false);
  const states = await statesOf(args, session);
  if (asksFor(args) && !(await askByName(session, `This edits the states of ${states.stacks.join(", ")} of`, states.name))) return leftAsItWas(session);
  await overwrite(states, "repair", states.stacks, session, async () => {
    for (const stack of states.stacks) {
      const said = await states.run(["state", "repair", "--yes", "--stack", stack], {});
      session.out(`${stack}: ${said.trim().replaceAll("\n", `\n${stack}: `)}\n`);
    }
  });
  return EXIT.done;
}

async function forgetVm(args: Arguments, session: Session): Promise<ExitCode> {
  const [stack = "", machine = ""] = args.words;
  if (asksFor(args)) refuseUnasked(session, "homelab state forget edits a state of the real homelab", false);
  const states = await statesOf({ ...args, words: [stack] }, session);
  if (asksFor(args) && !(await askByName(session, `This takes the VM ${machine} out of the state of ${stack}, of`, states.name))) return leftAsItWas(session);
  await overwrite(states, "forget", [stack], session, async () => {
    const urn = await forgetMachine(states.run, stack, machine);
    session.out(`${stack}: ${urn} is forgotten; the next \`homelab up ${stack}${args.flag("lab") ? " --lab" : ""}\` makes it anew, and all that was in it\n`);
  });
  return EXIT.done;
}

const DEFAULT_UPDATES = 10;

async function showHistory(args: Arguments, session: Session): Promise<ExitCode> {
  const { run, stacks } = await statesOf(args, session);
  const most = positive(args.text("count"), DEFAULT_UPDATES, "--count");
  const all = new Map<string, Awaited<ReturnType<typeof stackHistory>>>();
  for (const stack of stacks) all.set(stack, await stackHistory(run, stack, most));
  if (args.flag("json")) {
    session.out(`${JSON.stringify({ version: 1, stacks: Object.fromEntries(all) }, null, 2)}\n`);
    return EXIT.done;
  }
  const rows = [...all].flatMap(([stack, updates]) =>
    updates.map(({ kind, result, startTime, changes }) => [stack, kind, result, startTime, changesText(changes, false)]),
  );
  session.out(
    rows.length === 0
      ? "no stack was ever updated\n"
      : `${renderTable(["stack", "operation", "result", "started", "changes"], rows, session.terminal.columns())}\n`,
  );
  return EXIT.done;
}

export async function stateCommand(args: Arguments, session: Session, verb: string): Promise<ExitCode> {
  switch (verb) {
    case "backup":
      return backUpStates(args, session);
    case "restore":
      return restoreStates(args, session);
    case "repair":
      return repairStates(args, session);
    case "forget":
      return forgetVm(args, session);
    case "history":
      return showHistory(args, session);
    case "unlock":
      return (await import("./unlock-stacks")).unlockStacks(args, session);
    default:
      return (await import("./migrate-state")).migrateState(args, session);
  }
}
