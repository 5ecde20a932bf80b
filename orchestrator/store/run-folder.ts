/**
 * The folder of one run, `<runs>/<number>-<time>-<operation>/`:
 *
 *   run.json       what it is (run-facts.ts)
 *   journal.jsonl  what is done and what is in doubt, each line synced before the run goes on
 *   events.jsonl   all events, for later inspection; not synced
 *   report.json, report.html
 *
 * It appears by one rename when `run.json` and the journal are in it, so a folder that lacks one of them is damaged. The number
 * orders the runs, since a clock may jump.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { HomelabError } from "../../common/errors";
import { syncFolder } from "../../common/files";
import { isProcessAlive } from "../../common/processes";
import type { Sinks } from "../cli/sinks";
import { printed } from "../schedule/event-schema";
import type { RunEvent } from "../schedule/run";
import { RUN_FILES, type RunFacts } from "./run-facts";

/** Which events are worth a synced write: those that say what is done and what is in doubt. */
const JOURNALLED = new Set<RunEvent["kind"]>(["run-started", "stack-started", "stack-finished", "interrupted", "run-finished"]);

const RUN_NAME = /^(\d{6,})-/;
const UNBORN_NAME = /^\.new-(\d+)-/;

/** Names of the folders of runs, the oldest first. */
export function runNames(runsDir: string): string[] {
  if (!fs.existsSync(runsDir)) return [];
  const numbered = fs.readdirSync(runsDir).flatMap((name) => {
    const number = RUN_NAME.exec(name)?.[1];
    return number === undefined ? [] : [{ name, number: Number(number) }];
  });
  return numbered.sort((a, b) => a.number - b.number || (a.name < b.name ? -1 : 1)).map(({ name }) => name);
}

function nextName(runsDir: string, { startedAt, operation }: RunFacts): string {
  const last = RUN_NAME.exec(runNames(runsDir).at(-1) ?? "")?.[1] ?? "0";
  return `${String(Number(last) + 1).padStart(6, "0")}-${startedAt.replace(/\.\d+Z$/, "Z").replaceAll(":", "-")}-${operation}`;
}

/** Names and times, without messages: secrets that the redactor does not know yet must not get into the journal. */
function journalLine(event: RunEvent): object {
  if (event.kind !== "stack-finished") return event;
  const { status, inDoubt } = event.outcome;
  return { kind: event.kind, at: event.at, stack: event.stack, status, ...(inDoubt === true ? { inDoubt } : {}) };
}

/** Steps that change nothing are not kept: they are only counted. */
const isWorthKeeping = (event: RunEvent): boolean => event.kind !== "progress" && (!("step" in event) || event.step.op !== "same");

const noFolder = (runsDir: string, cause: unknown): HomelabError =>
  new HomelabError("E_RUN_FOLDER", `no folder for this run can be made in ${runsDir}: nothing was started`, {
    cause,
    subject: runsDir,
    hint: "make room there, give this user the right to write, or move away what has that name and is no folder, then run the same command again",
  });

/** Makes sure that new folders outlive a power cut: each is an entry of the one above. @param first the uppermost of those that were made */
function syncNew(first: string, last: string): void {
  for (let made = last; made.length >= first.length; made = path.dirname(made)) syncFolder(path.dirname(made));
}

/**
 * Makes what a run needs before it begins.
 * @throws HomelabError E_RUN_FOLDER with what the system said of it
 */
export function beforeRun<T>(dir: string, make: () => T): T {
  try {
    return make();
  } catch (cause) {
    throw noFolder(dir, cause);
  }
}

/** @throws HomelabError E_RUN_FOLDER where it cannot be made, or is something else */
export function makeRunsFolder(runsDir: string): void {
  beforeRun(runsDir, () => {
    const first = fs.mkdirSync(runsDir, { recursive: true, mode: 0o700 });
    if (first !== undefined) syncNew(first, runsDir);
  });
}

export class RunFolder {
  readonly dir: string;
  readonly #journal: number;
  readonly #events: number;
  /** A file may end with half a line: nothing more is written then. */
  #broken = false;

  /**
   * @param writeFile the session's, which redacts and syncs
   * @param write fs.writeSync; tests give a disk that is full
   * @throws HomelabError E_RUN_FOLDER where the folder cannot be written; nothing has begun then
   */
  constructor(
    runsDir: string,
    facts: RunFacts,
    writeFile: Sinks["writeFile"],
    private readonly write: (fd: number, text: string) => number = fs.writeSync,
  ) {
    makeRunsFolder(runsDir);
    try {
      const unborn = fs.mkdtempSync(path.join(runsDir, `.new-${process.pid}-`));
      writeFile(path.join(unborn, RUN_FILES.facts), `${JSON.stringify(facts, null, 2)}\n`);
      this.#journal = fs.openSync(path.join(unborn, RUN_FILES.journal), "ax", 0o600);
      this.#events = fs.openSync(path.join(unborn, RUN_FILES.events), "ax", 0o600);
      syncFolder(unborn);
      this.dir = path.join(runsDir, nextName(runsDir, facts));
      fs.renameSync(unborn, this.dir);
      syncFolder(runsDir);
    } catch (cause) {
      throw noFolder(runsDir, cause);
    }
  }

  /** @throws HomelabError E_RUN_FOLDER, once */
  append(event: RunEvent): void {
    if (this.#broken || !isWorthKeeping(event)) return;
    try {
      if (JOURNALLED.has(event.kind)) {
        this.write(this.#journal, `${JSON.stringify(journalLine(event))}\n`);
        fs.fsyncSync(this.#journal);
      }
      this.write(this.#events, `${JSON.stringify(printed(event))}\n`);
    } catch (cause) {
      this.#broken = true;
      throw new HomelabError("E_RUN_FOLDER", `the run's folder ${this.dir} cannot be written: what ran was finished, and nothing new was started`, {
        cause,
        subject: this.dir,
        hint: "make room for it, then run the same command again: it goes on from the saved state",
      });
    }
  }

  close(): void {
    fs.closeSync(this.#journal);
    fs.closeSync(this.#events);
  }
}

/** Removes the unfinished folders of processes that were killed before their run had begun. */
export function sweepUnborn(runsDir: string): void {
  for (const name of fs.readdirSync(runsDir)) {
    const pid = UNBORN_NAME.exec(name)?.[1];
    if (pid !== undefined && !isProcessAlive(Number(pid))) fs.rmSync(path.join(runsDir, name), { recursive: true, force: true });
  }
}
