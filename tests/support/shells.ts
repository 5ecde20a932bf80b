import { spawnSync } from "node:child_process";
import { skippedByName } from "./skips";

const isInstalled = (shell: string): boolean => spawnSync(shell, ["-c", ":"]).status === 0;

/** A test for each shell that scripts support. One that is not installed is skipped by name. */
export function testWithShells(title: string, check: (shell: string) => void): void {
  for (const shell of ["dash", "bash"]) {
    if (isInstalled(shell)) test(`${title}: ${shell}`, () => check(shell));
    else skippedByName(`${title}: ${shell}`, `${shell} is not installed; the package ${shell} brings it`);
  }
}
