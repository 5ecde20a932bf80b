/** The one place that touches the Automation API's workspaces, and that knows which engines there are. */
import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { promisify } from "node:util";
import type { Stack } from "@pulumi/pulumi/automation";
import { childEnv } from "../common/env";
import { HomelabError } from "../common/errors";
import { findOnPath } from "../common/executables";
import { projectRoot } from "../common/paths";
import type { WorkerResult, WorkerTask } from "./worker-protocol";

/** A state with its secrets in the clear is read whole. */
const MAX_OUTPUT_BYTES = 1024 ** 3;

export type EngineChoice = "auto" | "pulumi" | "embedded";

export interface Engine {
  name: "pulumi" | "embedded";
  /** Folder whose bin/pulumi it is; undefined = found on PATH. */
  root: string | undefined;
  /** Why this one, for `doctor` and the report. */
  why: string;
}

/** @throws HomelabError E_NO_PULUMI where `pulumi` was asked for and is not installed */
export function chooseEngine(choice: EngineChoice): Engine {
  const embeddedRoot = path.join(projectRoot(), "engine");
  const installed = findOnPath("pulumi");
  const isOurs = installed !== undefined && fs.realpathSync(installed) === path.join(embeddedRoot, "bin", "pulumi");
  if (choice === "embedded") return { name: "embedded", root: embeddedRoot, why: "asked for" };
  if (installed !== undefined && !isOurs) {
    return { name: "pulumi", root: undefined, why: choice === "pulumi" ? `asked for; ${installed}` : `${installed} is on PATH` };
  }
  if (choice === "pulumi") {
    throw new HomelabError("E_NO_PULUMI", "no pulumi executable is on PATH", {
      hint: "install the Pulumi CLI, or leave out --engine to use the embedded engine",
    });
  }
  return { name: "embedded", root: embeddedRoot, why: "no pulumi is on PATH" };
}

let automation: Promise<typeof import("@pulumi/pulumi/automation")> | undefined;

/** The Automation API; loading it takes about half a second, which a waiting worker spends before it has a task. */
export function automationApi(): Promise<typeof import("@pulumi/pulumi/automation")> {
  if (automation === undefined) {
    automation = import("@pulumi/pulumi/automation/index.js");
  }
  return automation;
}

/** Runs commands of an engine's executable in a folder; each resolves with its standard output. */
export function engineRunner(root: string | undefined, workDir: string): (args: readonly string[], env: Record<string, string>) => Promise<string> {
  const file = root === undefined ? "pulumi" : path.join(root, "bin", "pulumi");
  return async (args, env) => {
    try {
      const { stdout } = await promisify(execFile)(file, [...args, "--non-interactive"], { cwd: workDir, env: childEnv(env), maxBuffer: MAX_OUTPUT_BYTES });
      return stdout;
    } catch (cause) {
      const stderr = cause instanceof Error && "stderr" in cause ? String(cause.stderr).trim() : "";
      throw new HomelabError("E_ENGINE_COMMAND", `pulumi ${args.slice(0, 2).join(" ")} failed: ${stderr}`, { cause });
    }
  };
}

async function workspace(task: WorkerTask) {
  const { LocalWorkspace, PulumiCommand } = await automationApi();
  const pulumiCommand = await PulumiCommand.get(task.engineRoot === undefined ? {} : { root: task.engineRoot });
  return LocalWorkspace.create({ workDir: task.workDir, pulumiCommand });
}

/** The task's stack. Only operations that build one create it; for the others a missing stack is `undefined`: nothing to do. */
export async function openStack(task: WorkerTask): Promise<Stack | undefined> {
  const automation = await automationApi();
  const ws = await workspace(task);
  if (task.operation === "up" || task.operation === "preview") return automation.Stack.createOrSelect(task.stack, ws);
  try {
    return await automation.Stack.select(task.stack, ws);
  } catch (thrown) {
    if (thrown instanceof automation.StackNotFoundError) return undefined;
    throw thrown;
  }
}

/** From then on nothing in the stack's state is protected. */
export async function unprotectAll(task: WorkerTask): Promise<void> {
  await engineRunner(task.engineRoot, task.workDir)(["state", "unprotect", "--all", "--yes", "--stack", task.stack], {});
}

/** What the backend knows of the stack, without running anything. */
export async function stackState(task: WorkerTask): Promise<NonNullable<WorkerResult["state"]>> {
  const ws = await workspace(task);
  const found = (await ws.listStacks()).find((summary) => summary.name === task.stack);
  return {
    exists: found !== undefined,
    resources: found?.resourceCount ?? 0,
    lastUpdate: found?.lastUpdate,
    locked: found?.updateInProgress ?? false,
  };
}
