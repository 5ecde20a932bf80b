import { spawnSync } from "node:child_process";

const isInstalled = (shell: string): boolean => spawnSync(shell, ["-c", ":"]).status === 0;

/** A test for each shell that scripts support. One that is not installed is skipped by name. */
export function testWithShells(title: string, check: (shell: string) => void): void {
  for (const shell of ["dash", "bash"]) {
    if (isInstalled(shell)) test(`${title}: ${shell}`, () => check(shell));
    else test.skip(`${title}: ${shell} [skipped: ${shell} is not installed; the package ${shell} brings it]`, () => check(shell));
  }
}
