/** Runs the editor of whoever is at the terminal. */
import { spawn } from "../../common/children";
import { CliError } from "../errors";

/**
 * @param editor a command with arguments, as in `EDITOR`: it may hold quotes, so a shell takes it apart
 * @throws CliError where it does not end well
 */
export function runInEditor(editor: string, file: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn("/bin/sh", ["-c", `${editor} "$1"`, "sh", file], { stdio: "inherit" });
    child.once("error", (cause) => reject(new CliError(`the editor (${editor}) could not be started`, 1, { cause })));
    child.once("exit", (code, signal) => {
      if (code === 0) resolve();
      else reject(new CliError(`the editor (${editor}) ended with ${signal ?? `exit code ${code}`}; nothing was written`));
    });
  });
}
