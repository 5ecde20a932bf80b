/**
 * The embedded engine as the Automation API's command: what the API's own `PulumiCommand` does by a process for each command, done by
 * engines that stay. `run`, `CommandResult` and `createCommandError` are parts of the API that its types leave out (SDK 3.248,
 * automation/cmd.js and errors.js); they stand here alone.
 */
import * as path from "node:path";
import type { PulumiCommand } from "@pulumi/pulumi/automation";
import { SemVer } from "semver";
import { ENGINE_VERSION } from "../../common/engine-version";
import { childEnv } from "../../common/env";
import { engineCommandFailed, engineRunner } from "../target/engine";
import { type ServedAnswer, ServedEngines } from "./served-engine";

type Tell = (text: string) => void;
type Environment = Record<string, string | undefined>;

interface Result {
  stdout: string;
  stderr: string;
  code: number;
}

/** The API's own classes, which its types leave out. */
interface Internals {
  PulumiCommand: new (command: string, version: SemVer) => PulumiCommand;
  CommandResult: new (stdout: string, stderr: string, code: number, err?: Error) => Result;
  createCommandError: (result: Result) => Error;
}

async function internals(): Promise<Internals> {
  const [cmd, errors] = await Promise.all([import("@pulumi/pulumi/automation/cmd.js"), import("@pulumi/pulumi/automation/errors.js")]);
  return { ...cmd, ...errors } as unknown as Internals;
}

/** Code of a command that failed, whatever its exit code, as the API gives it. */
const FAILED = -2;

const withoutLastNewline = (text: string): string => text.replace(/\r?\n$/, "");

/** In the words of the library that the API runs commands by: it looks for its known failures in them. */
function failureText(argv: readonly string[], { status, stdout, stderr }: ServedAnswer): string {
  const how = typeof status === "number" ? `failed with exit code ${status}` : `was killed with ${status}`;
  return [`Command ${how}: pulumi ${argv.join(" ")}`, stderr, stdout].filter((part) => part !== "").join("\n");
}

const byRoot = new Map<string, ServedEngines>();

function enginesOf(root: string): ServedEngines {
  const known = byRoot.get(root);
  if (known !== undefined) return known;
  const engines = new ServedEngines(path.join(root, "bin", "serve"));
  byRoot.set(root, engines);
  return engines;
}

/** Loads the engine of that folder while the worker waits for its task. */
export const warmEngine = (root: string): void => enginesOf(root).warm();

/** The engines end, each after its command. */
export function closeEngines(): void {
  for (const engines of byRoot.values()) engines.close();
}

/** @param root folder of the engine: `bin/serve` is started, and `bin/` is first on the PATH of what it starts */
export async function embeddedCommand(root: string): Promise<PulumiCommand> {
  const { PulumiCommand: Command, CommandResult, createCommandError } = await internals();
  const bin = path.join(root, "bin");
  const command = new Command(path.join(bin, "pulumi"), new SemVer(ENGINE_VERSION));
  const run = async (args: string[], cwd: string, changes: Environment, onOutput?: Tell, onError?: Tell, signal?: AbortSignal): Promise<Result> => {
    const argv = args.includes("--non-interactive") ? args : [...args, "--non-interactive"];
    const given = childEnv(changes);
    const env = { ...given, PATH: [bin, given["PATH"] ?? ""].join(path.delimiter), PULUMI_AUTOMATION_API: "true" };
    const answer = await enginesOf(root).run({ argv, cwd, env, onOutput, onError, signal });
    const [stdout, stderr] = [withoutLastNewline(answer.stdout), withoutLastNewline(answer.stderr)];
    if (answer.status === 0) return new CommandResult(stdout, stderr, 0);
    const message = failureText(argv, { ...answer, stdout, stderr });
    throw createCommandError(new CommandResult("", message, FAILED, new Error(message)));
  };
  return Object.assign(command, { run });
}

/** Commands of the engine that the task names, in its folder; each resolves with its standard output. */
export function engineCommands({ engineRoot, workDir }: { engineRoot: string | undefined; workDir: string }): ReturnType<typeof engineRunner> {
  if (engineRoot === undefined) return engineRunner(undefined, workDir);
  return async (args, changes) => {
    const { status, stdout, stderr } = await enginesOf(engineRoot).run({ argv: [...args, "--non-interactive"], cwd: workDir, env: childEnv(changes) });
    if (status === 0) return stdout;
    throw engineCommandFailed(args, stderr);
  };
}
