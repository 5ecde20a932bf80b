/** Runs the program: a Node process of its own, or the language runtime that the Automation API serves (engine-contract B). */
import { createRequire } from "node:module";
import * as path from "node:path";
import * as grpc from "@grpc/grpc-js";
import { LanguageRuntimeClient } from "@pulumi/pulumi/proto/language_grpc_pb.js";
import * as pb from "@pulumi/pulumi/proto/language_pb.js";
import { spawn } from "../../common/children";
import { childEnv, ENV, readEnv } from "../../common/env";
import { systemErrorCode } from "../../common/errors";
import { GRPC_OPTIONS } from "../../common/grpc-options";
import type { DeploymentRequest } from "../contracts";
import { DeploymentError } from "../errors";
import { killNow, onLines, type ProcessEnd, processEnd } from "../providers/child-process";
import { runImports } from "./import-program";
import { isProgramKept, type ProgramCommand, runKept } from "./kept-program";
import { splitNodeArgs } from "./node-args";
import type { ProgramEnd, RunningProgram } from "./running-program";

export interface ProgramFacts {
  request: DeploymentRequest;
  preview: boolean;
  /** Where engine and monitor listen. */
  address: string;
  onOutput(line: string, stream: "info" | "info#err"): void;
}

/** The SDK's exit code for "failed, and the error is shown already". */
const BAIL = 32;

function resolveRunner(programDir: string): string {
  try {
    return createRequire(path.join(programDir, "package.json")).resolve("@pulumi/pulumi/cmd/run");
  } catch (cause) {
    throw new DeploymentError(`the program in ${programDir} cannot find @pulumi/pulumi: run \`npm ci\` there first (${systemErrorCode(cause) ?? "not found"})`);
  }
}

function commandOf({ request, preview, address }: ProgramFacts): ProgramCommand {
  const { project } = request;
  const own = readEnv(ENV.programPreload);
  const args = [
    ...["--monitor", address, "--engine", address, "--organization", "organization", "--project", project.name, "--root-directory", project.root],
    ...["--stack", request.stack, "--pwd", project.programDir, ...(preview ? ["--dry-run"] : [])],
    ...["--parallel", String(request.options.parallel), project.entryPoint],
  ];
  const env = childEnv({
    PULUMI_CONFIG: JSON.stringify(request.config.values),
    PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(request.config.secretKeys),
    [ENV.programDebug]: request.options.debug ? "true" : undefined,
    // The SDK reaches the engine by gRPC. Its library sends even loopback addresses through `https_proxy`, except for those listed here.
    no_grpc_proxy: [readEnv("no_grpc_proxy") ?? readEnv("no_proxy"), "127.0.0.1", "localhost"].filter((entry) => entry !== undefined).join(","),
    PULUMI_NODEJS_TSCONFIG_PATH: typeof project.runtimeOptions["tsconfig"] === "string" ? project.runtimeOptions["tsconfig"] : undefined,
    PULUMI_NODEJS_TYPESCRIPT: project.runtimeOptions["typescript"] === false ? undefined : "true",
  });
  const nodeArgs = [
    // In its short form: the SDK takes a `--require` for a loader of the user's own, and then starts no native ES module in TypeScript.
    ...["-r", path.join(__dirname, "preload.js")],
    ...(own === undefined ? [] : ["-r", own]),
    ...splitNodeArgs(String(project.runtimeOptions["nodeargs"] ?? "")),
  ];
  return { nodeArgs, runner: resolveRunner(project.programDir), args, cwd: project.programDir, env };
}

/**
 * Whether the program's process may run it again for another stack: the orchestrator vouches for its own program by the preload that it
 * names. Anybody else's has a process for each run, and so has one whose process does more than run it: Node's options of the project, a
 * compiler, tracing.
 */
function mayBeKept({ project }: DeploymentRequest): boolean {
  const { nodeargs, typescript } = project.runtimeOptions;
  return readEnv(ENV.programPreload) !== undefined && (nodeargs ?? "") === "" && typescript === false && readEnv("TRACEPARENT") === undefined;
}

function programEnd({ code, signal }: ProcessEnd): ProgramEnd {
  if (code === 0) return { kind: "done" };
  if (code === BAIL) return { kind: "bail" };
  return { kind: "failed", message: signal === null ? `Program exited with non-zero exit code: ${code}` : `Program was ended by ${signal}` };
}

function runLocal(facts: ProgramFacts): RunningProgram {
  const command = commandOf(facts);
  if (isProgramKept() && mayBeKept(facts.request)) {
    const { end, kill } = runKept(command, facts.onOutput);
    return { end: end.then(programEnd), kill };
  }
  const { nodeArgs, runner, args, cwd, env } = command;
  const child = spawn(process.execPath, [...nodeArgs, runner, ...args], { cwd, env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  onLines(child, facts.onOutput);
  const end = new Promise<ProgramEnd>((resolve) => {
    child.on("error", (cause) => resolve({ kind: "failed", message: `the program cannot be started: ${cause.message}` }));
    void processEnd(child).then((how) => resolve(programEnd(how)));
  });
  return { end, kill: () => killNow(child) };
}

function runClient({ request, preview, address }: ProgramFacts, target: string): RunningProgram {
  const client = new LanguageRuntimeClient(target, grpc.credentials.createInsecure(), GRPC_OPTIONS);
  const run = new pb.RunRequest();
  const { project } = request;
  run.setProject(project.name);
  run.setStack(request.stack);
  run.setOrganization("organization");
  run.setPwd(project.programDir);
  run.setArgsList([address]);
  run.setMonitorAddress(address);
  run.setParallel(request.options.parallel);
  run.setDryrun(preview);
  const config = run.getConfigMap();
  for (const [key, value] of Object.entries(request.config.values)) config.set(key, value);
  run.setConfigsecretkeysList(request.config.secretKeys);
  const info = new pb.ProgramInfo();
  info.setRootDirectory(project.root);
  info.setProgramDirectory(project.programDir);
  info.setEntryPoint(".");
  run.setInfo(info);
  let call: grpc.ClientUnaryCall | undefined;
  const end = new Promise<ProgramEnd>((resolve) => {
    call = client.run(run, (error, reply) => {
      client.close();
      if (error !== null) resolve({ kind: "failed", message: `an unhandled error occurred: ${error.details}` });
      else if (reply.getBail()) resolve({ kind: "bail" });
      else if (reply.getError() !== "") resolve({ kind: "failed", message: `an unhandled error occurred: ${reply.getError()}` });
      else resolve({ kind: "done" });
    });
  });
  return { end, kill: () => call?.cancel() };
}

export function runProgram(facts: ProgramFacts): RunningProgram {
  const { program } = facts.request;
  if (program === undefined) return { end: Promise.resolve({ kind: "done" }), kill: () => undefined };
  if (program.kind === "imports") {
    const { project, stack } = facts.request;
    return runImports({ address: facts.address, project: project.name, stack, imports: program.imports });
  }
  return program.kind === "local" ? runLocal(facts) : runClient(facts, program.address);
}
