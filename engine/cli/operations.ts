/** `preview`, `up`, `refresh` and `destroy`. */
import * as os from "node:os";
import { ENGINE_VERSION } from "../../common/engine-version";
import { readEnv } from "../../common/env";
import { recordHistory } from "../backend/history";
import { lockStack } from "../backend/locks";
import { StateWriter } from "../backend/state-writer";
import type { DeploymentResult, EngineEventPayload, OperationKind, OperationOptions, StackConfig } from "../contracts";
import { withoutSecretsOf } from "../deployment/events";
import { openEventLog } from "../display/event-log";
import { CliError, EXIT_CODE, unsupported } from "../errors";
import type { Plan } from "../plans/plan";
import { secretFilter } from "../secrets/secret-filter";
import type { SnapshotJournal } from "../snapshot/manager";
import type { Snapshot } from "../snapshot/types";
import type { PropertyMap } from "../wire/values";
import { parseStackName, requireNode } from "../workspace/project";
import { pluginsDir } from "../workspace/pulumi-home";
import { requireVersion } from "../workspace/version-range";
import { setGiven } from "./config-commands";
import { deployInto } from "./deploy-into";
import type { Flags } from "./flags";
import { ImportFile } from "./import-file";
import type { ImportPlan } from "./import-spec";
import { type Display, openDisplay } from "./operation-display";
import { settlePendingCreates } from "./pending-creates";
import { givenPlan, saveImportFile, savePlan, wantsPlan } from "./plan-flags";
import { policyPacks } from "./policy-flags";
import { refuseSettings } from "./refused-settings";
import { listenForSignals, type Signals } from "./signals";
import { removeStack } from "./stack-commands";
import { cachingCodec, loadSnapshot, openStack, passphraseProvider, type StackContext, shownStack } from "./stack-context";
import { ask, isInteractive } from "./terminal";

export type OperationCommand = "preview" | "up" | "refresh" | "destroy" | "import";

/** The largest number that the protocol's field can hold. */
const MOST_PARALLEL = 2 ** 31 - 1;

/** As the CLI reads it: 0 and below mean its default. @throws CliError where the text is not a whole number */
function parallelOfEnvironment(): number | undefined {
  const text = readEnv("PULUMI_PARALLEL");
  if (text === undefined) return undefined;
  if (!/^-?\d+$/.test(text)) throw new CliError(`PULUMI_PARALLEL must be a whole number, not ${text}`, EXIT_CODE.usage);
  return Number(text) > 0 ? Number(text) : undefined;
}

/** At least 1: with 0 the CLI takes one step at a time, and with less it starts no program. */
function parallelOf(flags: Flags): number {
  const parallel = flags.number("parallel") ?? parallelOfEnvironment() ?? os.cpus().length * 4;
  return Math.min(Math.max(parallel, 1), MOST_PARALLEL);
}

function optionsOf(flags: Flags, refreshAlways: boolean): OperationOptions {
  const targetReplace = flags.list("target-replace");
  return {
    parallel: parallelOf(flags),
    targets: [...flags.list("target"), ...targetReplace],
    targetDependents: flags.has("target-dependents"),
    excludes: flags.list("exclude"),
    excludeDependents: flags.has("exclude-dependents"),
    replaces: [...flags.list("replace"), ...targetReplace],
    refresh: flags.has("refresh") || refreshAlways,
    continueOnError: flags.has("continue-on-error") || readEnv("PULUMI_CONTINUE_ON_ERROR") === "true",
    excludeProtected: flags.has("exclude-protected"),
    debug: flags.has("debug"),
  };
}

async function stackOutputs(ctx: StackContext, name: string): Promise<PropertyMap | undefined> {
  const { project, stack } = parseStackName(name, ctx.project.name);
  if (!(await ctx.backend.exists(project, stack))) return undefined;
  const { resources } = loadSnapshot(await ctx.backend.load(project, stack));
  return resources.find((r) => r.type === "pulumi:pulumi:Stack")?.outputs ?? {};
}

const changesAnything = (changes: Record<string, number>): boolean =>
  Object.entries(changes).some(([op, count]) => count > 0 && !["same", "read", "discard", "read-replacement", "refresh"].includes(op));

/** `PULUMI_DEBUG_PROVIDERS=name:port,…`: providers that run already. @throws CliError for what is no such list */
function attachedProviders(): Record<string, string> {
  const given = readEnv("PULUMI_DEBUG_PROVIDERS");
  if (given === undefined) return {};
  return Object.fromEntries(
    given.split(",").map((pair) => {
      const [, name, port] = /^([A-Za-z0-9_-]+):(\d+)$/.exec(pair.trim()) ?? [];
      if (name === undefined || port === undefined)
        throw new CliError(`PULUMI_DEBUG_PROVIDERS must be a list of <provider>:<port>, not ${given}`, EXIT_CODE.usage);
      return [name, `127.0.0.1:${port}`];
    }),
  );
}

/** `--run-program`, or its variable. */
const asksForProgram = (flags: Flags): boolean => flags.has("run-program") || ["1", "true"].includes((readEnv("PULUMI_RUN_PROGRAM") ?? "").toLowerCase());

const runsProgram = (command: OperationCommand, flags: Flags): boolean =>
  command === "up" || command === "preview" || ((command === "destroy" || command === "refresh") && asksForProgram(flags));

/** Whether the refresh reads what the program registers. Not for a destroy: it refreshes what the state holds, before its program runs. */
const refreshesByProgram = (command: OperationCommand, { refresh }: OperationOptions, flags: Flags): boolean =>
  asksForProgram(flags) && (command === "refresh" || ((command === "up" || command === "preview") && refresh));

interface Prepared {
  kind: OperationKind;
  ctx: StackContext;
  options: OperationOptions;
  config: StackConfig;
  flags: Flags;
  command: OperationCommand;
  signals: Signals;
  /** Set for an import. */
  imports: ImportPlan | undefined;
  /** The plan that limits an update. */
  plan: Plan | undefined;
}

async function deploy(
  prepared: Prepared,
  snapshot: Snapshot,
  journal: SnapshotJournal,
  receive: (event: EngineEventPayload) => void,
): Promise<DeploymentResult> {
  const emit = (event: EngineEventPayload): void => receive(secretFilter.event(event));
  const { runDeployment } = await import("../deployment/deployment");
  const { kind, ctx, options, config, flags, command, signals } = prepared;
  const runs = runsProgram(command, flags);
  const client = flags.text("client");
  const program = client === undefined ? ({ kind: "local" } as const) : ({ kind: "client", address: client } as const);
  signals.onMessage(emit);
  return runDeployment({
    kind,
    ...(kind === "preview" ? { previewOf: command === "refresh" || command === "destroy" ? command : "update" } : {}),
    project: ctx.project,
    stack: ctx.stack,
    config,
    snapshot,
    program: prepared.imports !== undefined ? { kind: "imports", imports: prepared.imports.imports } : runs ? program : undefined,
    options: { ...options, refreshByProgram: refreshesByProgram(command, options, flags) },
    emit,
    journal,
    signal: signals.cancel,
    terminate: signals.terminate,
    stackOutputs: (name) => stackOutputs(ctx, name),
    pluginsDir: pluginsDir(),
    attachedProviders: attachedProviders(),
    showSecrets: flags.has("show-secrets"),
    plan: prepared.plan,
    policyPacks: policyPacks(flags),
    writePlan: kind === "preview" && wantsPlan(flags),
  });
}

/** Runs an operation that changes the stack, under its lock. */
async function change(prepared: Prepared, emit: (event: EngineEventPayload) => void): Promise<DeploymentResult> {
  const { ctx, kind, flags } = prepared;
  const { backend, project, stack, settings } = ctx;
  const unlock = await lockStack(backend.bucket, project.name, stack);
  try {
    const latest = await backend.load(project.name, stack);
    const snapshot = kind === "refresh" ? await settlePendingCreates(loadSnapshot(latest), flags) : loadSnapshot(latest);
    const secrets = settings.secrets();
    secrets.unlock();
    const carried = snapshot.pendingOperations.filter((operation) => operation.type === "creating");
    const writer = new StateWriter({
      backend,
      project: project.name,
      stack,
      codec: cachingCodec(secrets),
      secretsProviders: passphraseProvider(secrets.salt),
      metadata: latest?.metadata ?? {},
      base: { resources: snapshot.resources, pendingOperations: carried },
    });
    const startTime = Math.floor(Date.now() / 1000);
    const result = await deployInto(writer, () => deploy(prepared, snapshot, writer, emit));
    await recordHistory(backend, project.name, stack, {
      kind: prepared.imports === undefined ? kind : "resource-import",
      startTime,
      message: flags.text("message") ?? "",
      environment: {
        "exec.kind": flags.text("exec-kind") ?? "cli",
        "pulumi.version": ENGINE_VERSION.slice(1),
        "pulumi.arch": os.arch() === "x64" ? "amd64" : os.arch(),
        "pulumi.os": os.platform(),
      },
      config: settings.values(),
      version: 0,
      result: result.ok ? "succeeded" : "failed",
      endTime: Math.floor(Date.now() / 1000),
      resourceChanges: result.changes,
    });
    return result;
  } finally {
    await unlock();
  }
}

const KINDS: Record<OperationCommand, OperationKind> = { preview: "preview", up: "update", refresh: "refresh", destroy: "destroy", import: "update" };

/**
 * Shows what would be done, and asks, unless the user has agreed already.
 * @returns the plan that limits the update: the given one, or with `--strict` the one that was shown; `declined`: nothing is to be done
 */
async function agreed(prepared: Prepared, confirmed: boolean): Promise<Plan | undefined | "declined"> {
  const seen: EngineEventPayload[] = [];
  const { ctx, flags, command } = prepared;
  const display = openDisplay(flags, command, true, shownStack(flags, ctx.project, ctx.stack));
  const latest = await ctx.backend.load(ctx.project.name, ctx.stack);
  const result = await deploy({ ...prepared, kind: "preview" }, loadSnapshot(latest), { append: () => undefined }, (event) => {
    seen.push(event);
    display.event(event);
  });
  if (!result.ok) throw new CliError("preview failed");
  const what = command === "up" ? "update" : command;
  const plan = prepared.plan ?? (flags.has("strict") ? result.plan : undefined);
  if (confirmed) return plan;
  for (;;) {
    const answer = (await ask(`\nDo you want to perform this ${what}? (yes/no/details) `))?.trim().toLowerCase();
    if (answer === "yes" || answer === "y") return plan;
    if (answer === undefined || answer === "no" || answer === "n") return "declined";
    if (answer !== "details") continue;
    const again = openDisplay(flags, command, true, shownStack(flags, ctx.project, ctx.stack), true);
    for (const event of seen) again.event(event);
  }
}

/** Runs one of the four operations; resolves with the exit code. */
export async function runOperation(command: OperationCommand, flags: Flags, imports?: ImportPlan): Promise<number> {
  if (flags.list("target").length > 0 && flags.list("exclude").length > 0)
    throw new CliError("if any flags in the group [target exclude] are set none of the others can be; [exclude target] were all set");
  const previewOnly = command === "preview" || flags.has("preview-only");
  const confirmed = flags.has("yes") || flags.has("skip-preview") || readEnv("PULUMI_SKIP_CONFIRMATIONS") === "true";
  if (command !== "preview" && flags.has("preview-only"))
    for (const flag of ["skip-preview", "yes"])
      if (flags.has(flag)) throw new CliError(`--${flag} and --preview-only cannot be used together`, EXIT_CODE.failed);
  if (!previewOnly && !confirmed && !isInteractive(flags))
    throw new CliError("--yes or --skip-preview or --preview-only must be passed in to proceed when running in non-interactive mode", EXIT_CODE.usage);
  policyPacks(flags);
  if (flags.has("show-config")) throw unsupported("--show-config (`config` lists the settings)");
  const ctx = await openStack(flags);
  requireVersion(ctx.project.requiredVersion);
  for (const [key, meant] of ctx.project.misspelt)
    process.stderr.write(`warning: ${ctx.project.file}: unknown key '${key}' is ignored; did you mean '${meant}'?\n`);
  // With --client the program is a server that runs already, and a destruction starts none: then its language does not matter.
  if (runsProgram(command, flags) && flags.text("client") === undefined) requireNode(ctx.project);
  setGiven(ctx.settings, flags.list("config"), flags.has("config-path"));
  // With --strict the update may only do what a preview shows.
  const asks = !previewOnly && (!confirmed || flags.has("strict"));
  // Opened before the key is derived and the state is read, so that the user sees at once that something happens.
  const early = asks ? undefined : openDisplay(flags, command, previewOnly, shownStack(flags, ctx.project, ctx.stack));
  // Most destroys and refreshes run no program: outdated settings do not stop them.
  const checks = runsProgram(command, flags) && !flags.has("skip-config-validation");
  const { secrets, ...config } = ctx.settings.resolve(ctx.project, checks ? { stack: ctx.stack } : undefined);
  secretFilter.add(secrets);
  if (runsProgram(command, flags)) refuseSettings(config.values);
  const prepared: Prepared = {
    kind: previewOnly ? "preview" : KINDS[command],
    ctx,
    // An import targets the imported resources and everything that they need.
    options: imports === undefined ? optionsOf(flags, ctx.project.refreshAlways) : { ...optionsOf(flags, false), targets: imports.urns },
    imports,
    plan: givenPlan(ctx, flags),
    config,
    flags,
    command,
    signals: listenForSignals(!previewOnly),
  };
  try {
    return await perform(prepared, early, confirmed);
  } finally {
    prepared.signals.release();
  }
}

async function perform(given: Prepared, early: Display | undefined, confirmed: boolean): Promise<number> {
  const plan = early === undefined ? await agreed(given, confirmed) : given.plan;
  if (plan === "declined") throw new CliError(`confirmation declined, not proceeding with the ${given.command}`);
  const prepared = { ...given, plan };
  const { kind, ctx, command, flags } = prepared;
  const previewOnly = kind === "preview";
  const display = early ?? openDisplay(flags, command, previewOnly, shownStack(flags, ctx.project, ctx.stack));
  const log = await openEventLog(flags.text("event-log"));
  const imports = flags.text("import-file") === undefined ? undefined : new ImportFile();
  const emit = (event: EngineEventPayload): void => {
    // With --show-secrets the display shows secrets. The log file never has them.
    log.write(flags.has("show-secrets") ? withoutSecretsOf(event) : event);
    display.event(event);
    imports?.event(event);
  };
  try {
    const result = previewOnly
      ? await deploy(prepared, loadSnapshot(await ctx.backend.load(ctx.project.name, ctx.stack)), { append: () => undefined }, emit)
      : await change(prepared, emit);
    display.close();
    if (!result.ok) return EXIT_CODE.failed;
    if (command === "destroy" && !previewOnly && flags.has("remove")) await removeStack(ctx, flags);
    if (flags.has("expect-no-changes") && changesAnything(result.changes))
      throw new CliError("no changes were expected for update but changes were proposed", EXIT_CODE.changes);
    if (previewOnly) {
      savePlan(ctx, flags, result);
      saveImportFile(ctx, flags, imports, result);
    }
    return EXIT_CODE.ok;
  } finally {
    await log.close();
  }
}
