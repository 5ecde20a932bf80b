/** `homelab secrets check`: refuses what must never be committed. Also a pre-commit hook, which looks at what is staged. */
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { countedOf } from "../../common/counted";
import { ENV, readEnv } from "../../common/env";
import { asError, HomelabError } from "../../common/errors";
import { projectRoot } from "../../common/paths";
import { isWorthHiding } from "../../common/redact-worth";
import { checkFile, type Problem } from "../../secrets/check-files";
import type { SecretFiles } from "../../secrets/secret-files";
import type { Arguments } from "../cli/arguments";
import { EXIT, type ExitCode } from "../cli/exit-codes";
import type { Session } from "../cli/session";

const MAX_STAGED_BYTES = 64 * 1024 * 1024;

function git(args: string[]): Buffer {
  try {
    return execFileSync("git", args, { cwd: projectRoot(), maxBuffer: MAX_STAGED_BYTES, stdio: ["ignore", "pipe", "pipe"] });
  } catch (cause) {
    throw new HomelabError("E_GIT", `git ${args[0] ?? ""} failed`, { cause, hint: "run it inside the checkout" });
  }
}

/** Staged content, which may differ from the working tree. */
function stagedFiles(): [string, Buffer][] {
  const names = git(["diff", "--cached", "--name-only", "--diff-filter=ACMR", "-z"]).toString("utf8").split("\0");
  return names.filter((name) => name !== "").map((name) => [name, git(["show", `:${name}`])]);
}

function below(folder: string, label: string): [string, Buffer][] {
  return fs.readdirSync(folder, { withFileTypes: true }).flatMap((entry): [string, Buffer][] => {
    const [full, name] = [path.join(folder, entry.name), path.posix.join(label, entry.name)];
    if (entry.isDirectory()) return below(full, name);
    return entry.isFile() ? [[name, fs.readFileSync(full)]] : [];
  });
}

/** Checks, with the private key, that each file opens. It names the keys of values that are too common to be redacted. */
function openAll(files: SecretFiles, session: Session): Problem[] {
  return files.names().flatMap((name): Problem[] => {
    try {
      const shown = Object.entries(files.read(name)).filter(([, value]) => !isWorthHiding(value));
      if (shown.length > 0)
        session.err(`note: ${files.label(name)}: too short or too common to be hidden in output: ${shown.map(([key]) => key).join(", ")}\n`);
      return [];
    } catch (thrown) {
      if (!(thrown instanceof HomelabError) || !thrown.code.startsWith("E_SECRET")) throw thrown;
      return [{ file: files.label(name), message: asError(thrown).message.replace(`${files.label(name)}: `, "") }];
    }
  });
}

export function checkSecrets(files: SecretFiles, args: Arguments, session: Session): ExitCode {
  const beside = path.join(path.dirname(files.root), ".sops.yaml");
  const configFile = fs.existsSync(beside) ? beside : undefined;
  const looked = args.flag("staged") ? stagedFiles() : below(files.root, "secrets");
  const found = looked.flatMap(([name, bytes]) => checkFile(name, bytes, configFile));
  const canOpen = !args.flag("staged") && (readEnv(ENV.ageKey) ?? readEnv(ENV.ageKeyFile)) !== undefined;
  const seen = new Set(found.map(({ file }) => file));
  const problems = [...found, ...(canOpen ? openAll(files, session).filter(({ file }) => !seen.has(file)) : [])];
  for (const { file, message } of problems) session.err(`${file}: ${message}\n`);
  if (problems.length > 0) {
    session.err(`\nnot to be committed as they are: ${countedOf(problems.length, looked.length, "file")}\n`);
    return EXIT.refused;
  }
  session.out(`${looked.length} files looked at, ${canOpen ? "and all secrets open" : "not opened (no age key)"}\n`);
  return EXIT.done;
}
