/** The folder in which the stacks of a preview pass planned outputs to each other. It holds secrets, so it is removed with its run. */
import * as fs from "node:fs";
import * as path from "node:path";
import { isProcessAlive } from "../../common/processes";
import { beforeRun } from "../store/run-folder";

const NAME = /^planned-(\d+)-/;

/** Removes the folders of runs that were killed before they could do it. */
export function sweepPlannedFolders(runsDir: string): void {
  for (const name of fs.readdirSync(runsDir)) {
    const pid = NAME.exec(name)?.[1];
    if (pid !== undefined && !isProcessAlive(Number(pid))) fs.rmSync(path.join(runsDir, name), { recursive: true, force: true });
  }
}

/**
 * @returns a new folder (0700) of this run; whoever asked for it removes it
 * @throws HomelabError E_RUN_FOLDER
 */
export const makePlannedFolder = (runsDir: string): string => beforeRun(runsDir, () => fs.mkdtempSync(path.join(runsDir, `planned-${process.pid}-`)));
