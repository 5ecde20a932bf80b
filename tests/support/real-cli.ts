/**
 * The real Pulumi CLI for tests: the part `pulumi`, with a language host of ours for Node (tests/support/language-host).
 *
 *     describeReal(["pulumi"], "…", () => {
 *       const cli = realCli(folder);           // a new folder; home and plugins are below it
 *       await cli.run(["up", "--yes"], { cwd });
 *     });
 *
 * `cli.path` and `cli.env` suffice for `PulumiCommand.get` and for starting processes. Nothing is downloaded: plugins come from
 * `plugins.providers` of Pulumi.yaml, from PATH, or from `<folder>/home/plugins`.
 */
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { realPart } from "./real-parts";

const LANGUAGE_HOST = path.join(__dirname, "language-host");
/** The embedded engine, which starts programs by itself. */
export const EMBEDDED = fs.realpathSync(path.join(__dirname, "../../engine/bin/pulumi"));

export interface CliResult {
  status: number;
  stdout: string;
  stderr: string;
}

export interface RealCli {
  /** The executable. */
  path: string;
  /** Its environment: PATH with the language host and this Node, its own home, no downloads, no questions about updates. */
  env: Record<string, string>;
  /** Runs a command to its end, with `--non-interactive`. A signal gives the status -1. */
  run(args: string[], options: { cwd: string; env?: Record<string, string> }): Promise<CliResult>;
}

/** The environment in which a process uses an executable (the real one or `engine/bin/pulumi`) as the CLI. */
export function cliEnvironment(executable: string, folder: string): Record<string, string> {
  const home = path.join(folder, "home");
  fs.mkdirSync(home, { recursive: true });
  return {
    PATH: [
      ...(fs.realpathSync(executable) === EMBEDDED ? [] : [LANGUAGE_HOST]),
      path.dirname(executable),
      path.dirname(process.execPath),
      process.env["PATH"] ?? "",
    ].join(path.delimiter),
    HOME: home,
    PULUMI_HOME: home,
    PULUMI_SKIP_UPDATE_CHECK: "true",
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    PULUMI_DEBUG_COMMANDS: "true",
    NO_COLOR: "1",
  };
}

/** Any executable that behaves as the CLI. */
function cliAt(executable: string, folder: string): RealCli {
  const env = cliEnvironment(executable, folder);
  return {
    path: executable,
    env,
    run: (args, options) =>
      new Promise((resolve, reject) => {
        const child = spawn(executable, [...args, "--non-interactive"], {
          cwd: options.cwd,
          env: { ...process.env, ...env, ...options.env },
          stdio: ["ignore", "pipe", "pipe"],
        });
        let [stdout, stderr] = ["", ""];
        child.stdout.on("data", (data) => {
          stdout += String(data);
        });
        child.stderr.on("data", (data) => {
          stderr += String(data);
        });
        child.on("error", reject);
        child.on("close", (code) => resolve({ status: code ?? -1, stdout, stderr }));
      }),
  };
}

/** The real CLI. @throws if the part is missing: call it inside `describeReal(["pulumi"], …)` */
export function realCli(folder: string): RealCli {
  const part = realPart("pulumi");
  if (part.path === undefined) throw new Error(`${part.missing}; ${part.how}`);
  return cliAt(part.path, folder);
}
