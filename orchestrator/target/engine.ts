/** Which engines there are, which one a command uses, and how a command of its executable is run. */
import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { promisify } from "node:util";
import { z } from "zod";
import { childEnv } from "../../common/env";
import { HomelabError } from "../../common/errors";
import { findOnPath } from "../../common/executables";
import { projectRoot } from "../../common/paths";
import { type Arguments, oneOf } from "../cli/arguments";
import { ENGINE_CHOICES } from "../cli/flags";
import { engineAnswer } from "./engine-answer";

/** Large enough for a whole state with its secrets in the clear. */
const MAX_OUTPUT_BYTES = 1024 ** 3;

export type EngineChoice = (typeof ENGINE_CHOICES)[number];

export interface Engine {
  name: "pulumi" | "embedded";
  /** Folder whose bin/pulumi it is; undefined = found on PATH. */
  root: string | undefined;
  /** Why this one, for `doctor` and the report. */
  why: string;
  /** How to have the other one, for `doctor`. */
  instead?: string;
}

/** Pulumi's package on npm, since 3.261: it fetches the CLI of its own version on first use. */
const STOCK_CLI = "`npm install --global pulumi` brings the Pulumi CLI, `npx pulumi@<version> <command>` one for a single command";

/** @throws HomelabError E_NO_PULUMI where `pulumi` was asked for and is not installed */
function chooseEngine(choice: EngineChoice): Engine {
  const embeddedRoot = path.join(projectRoot(), "engine");
  const installed = findOnPath("pulumi");
  const isOurs = installed !== undefined && fs.realpathSync(installed) === path.join(embeddedRoot, "bin", "pulumi");
  if (choice === "embedded") return { name: "embedded", root: embeddedRoot, why: "asked for" };
  if (installed !== undefined && !isOurs) {
    return { name: "pulumi", root: undefined, why: choice === "pulumi" ? `asked for; ${installed}` : `${installed} is on PATH` };
  }
  if (choice === "pulumi") {
    throw new HomelabError("E_NO_PULUMI", "no pulumi executable is on PATH", {
      hint: `${STOCK_CLI}; or leave out --engine to use the embedded engine`,
    });
  }
  return { name: "embedded", root: embeddedRoot, why: "no pulumi is on PATH", instead: STOCK_CLI };
}

/** The engine that a command's flags ask for. */
export const engineOf = (args: Arguments): Engine => chooseEngine(oneOf(args.text("engine"), ENGINE_CHOICES, "auto", "--engine"));

/** @param stderr what the command printed there */
export const engineCommandFailed = (args: readonly string[], stderr: string, cause?: unknown): HomelabError =>
  new HomelabError("E_ENGINE_COMMAND", `pulumi ${args.slice(0, 2).join(" ")} failed: ${stderr.trim()}`, { cause });

/** Runs commands of an engine's executable in a folder; each resolves with its standard output. */
export function engineRunner(root: string | undefined, workDir: string): (args: readonly string[], env: Record<string, string>) => Promise<string> {
  const file = root === undefined ? "pulumi" : path.join(root, "bin", "pulumi");
  return async (args, env) => {
    try {
      const { stdout } = await promisify(execFile)(file, [...args, "--non-interactive"], { cwd: workDir, env: childEnv(env), maxBuffer: MAX_OUTPUT_BYTES });
      return stdout;
    } catch (cause) {
      throw engineCommandFailed(args, cause instanceof Error && "stderr" in cause ? String(cause.stderr) : "", cause);
    }
  };
}

/** A command of the engine, in the environment of a backend. */
export type Run = (args: readonly string[]) => Promise<string>;

const listSchema = z.array(z.looseObject({ name: z.string(), updateInProgress: z.boolean().optional(), resourceCount: z.number().optional() }));

/** The stacks that the backend has: whether a run holds each, and how many resources its state has. */
export const listedStacks = async (run: Run): Promise<z.infer<typeof listSchema>> =>
  engineAnswer(listSchema, await run(["stack", "ls", "--json"]), "stack ls --json");

export const stackNames = async (run: Run): Promise<Set<string>> => new Set((await listedStacks(run)).map(({ name }) => name));

/** What a stack has as outputs, as far as the schema takes it; secrets are masked. */
export const stackOutputs = async <T>(run: Run, stack: string, schema: z.ZodType<T>): Promise<T> =>
  engineAnswer(schema, await run(["stack", "output", "--json", "--stack", stack]), `stack output --json --stack ${stack}`);
