/** Entry of the engine's core: serves the monitor, runs one operation, and returns how it ended. */
import { EngineService } from "@pulumi/pulumi/proto/engine_grpc_pb.js";
import { ResourceMonitorService } from "@pulumi/pulumi/proto/resource_grpc_pb.js";
import { ENV, readEnv } from "../../common/env";
import { HomelabError } from "../../common/errors";
import { UnaryServer } from "../../common/grpc/unary-server";
import type { DeploymentRequest, DeploymentResult } from "../contracts";
import { engineService } from "../monitor/engine-service";
import { ResourceMonitor } from "../monitor/resource-monitor";
import type { Plan } from "../plans/plan";
import { ProviderRegistry } from "../providers/registry";
import { checkIntegrity } from "../snapshot/integrity";
import type { SnapshotJournal } from "../snapshot/manager";
import type { Snapshot } from "../snapshot/types";
import { EventLog } from "./events";
import { Operation } from "./operation";
import { unknownLiteral } from "./targets";

function prelude(request: DeploymentRequest): void {
  const secret = new Set(request.config.secretKeys);
  request.emit({
    preludeEvent: { config: Object.fromEntries(Object.entries(request.config.values).map(([key, value]) => [key, secret.has(key) ? "[secret]" : value])) },
  });
}

/** The targets of a refresh or destroy must be in the state. A target of an update may be new. */
function requireTargets(request: DeploymentRequest): void {
  const operation = request.previewOf ?? request.kind;
  if (operation !== "refresh" && operation !== "destroy") return;
  const unknown = unknownLiteral(request.options, request.snapshot.resources);
  if (unknown === undefined) return;
  throw new HomelabError("E_TARGET_UNKNOWN", `no resource named '${unknown}' found`, {
    subject: unknown,
    hint: "`pulumi stack export` lists the URNs of the stack",
  });
}

/**
 * Runs one deployment. Failures of the program, of providers and of resources are events and `ok: false`.
 * @throws HomelabError E_TARGET_UNKNOWN before anything is done; otherwise only bugs are thrown
 */
export async function runDeployment(request: DeploymentRequest): Promise<DeploymentResult> {
  checkIntegrity(request.snapshot.resources, `stack ${request.stack}`);
  requireTargets(request);
  const preview = request.kind === "preview";
  const startedAt = Date.now();
  prelude(request);
  const events = new EventLog(request.emit, preview, request.showSecrets);
  const readsFirst = request.options.refresh || request.kind === "refresh";
  if (!preview && (!readsFirst || request.options.refreshByProgram)) warnOfPending(request, events);
  // The server needs the monitor, and the monitor needs the server's address: it is filled in once the server listens.
  const endpoint = { address: "" };
  const registry = new ProviderRegistry(request, endpoint, (message, severity, urn) => events.diagnostic(severity, message, urn));
  registry.remember(request.snapshot.resources);
  const { journal, terminated } = untilTerminated(request);
  const operation = new Operation({ ...request, journal }, events, registry, preview, endpoint);
  const server = new UnaryServer();
  server.add(EngineService, engineService(events, request.options));
  server.add(ResourceMonitorService, new ResourceMonitor(operation.registrations, endpoint).implementation());
  endpoint.address = `127.0.0.1:${await server.listen()}`;
  // The first signal is passed to the providers at once, so that they may end running calls early.
  const onAbort = (): void => void registry.cancel();
  request.signal.addEventListener("abort", onAbort, { once: true });
  const running = operation.run(endpoint.address);
  try {
    await Promise.race([running, terminated]);
  } finally {
    request.signal.removeEventListener("abort", onAbort);
    if (request.terminate?.aborted) {
      operation.terminate();
      registry.kill();
    }
    server.close();
    await registry.close();
  }
  if (request.terminate?.aborted) {
    // The results of steps that still run are neither reported nor written.
    running.catch(() => undefined);
    events.diagnostic("error", `${preview ? "preview" : "update"} terminated: what was under way is in an unknown state`);
    return summarize(request, events, { ok: false, startedAt, snapshot: request.snapshot });
  }
  return close(request, events, operation, startedAt);
}

function close(request: DeploymentRequest, events: EventLog, operation: Operation, startedAt: number): DeploymentResult {
  const { failure } = operation;
  const verb = request.kind === "preview" ? "preview" : "update";
  if (failure === "update failed") events.diagnostic("error", `${verb} failed`);
  if (failure === "canceled") events.diagnostic("error", `${verb} canceled`);
  const ok = failure === undefined;
  const snapshot = request.kind === "preview" ? request.snapshot : operation.ctx.state.snapshot();
  if (request.kind !== "preview") checkIntegrity(snapshot.resources, "the state after this run; this is a bug in the embedded engine");
  return summarize(request, events, { ok, startedAt, snapshot, plan: operation.ctx.plan.written, packs: operation.ctx.policies.names });
}

/** The last two events, and the result. */
function summarize(
  request: DeploymentRequest,
  events: EventLog,
  {
    ok,
    startedAt,
    snapshot,
    plan,
    packs = {},
  }: { ok: boolean; startedAt: number; snapshot: Snapshot; plan?: Plan | undefined; packs?: Record<string, string> },
): DeploymentResult {
  request.emit({
    summaryEvent: {
      maybeCorrupt: events.maybeCorrupt,
      durationSeconds: Math.round((Date.now() - startedAt) / 1000),
      resourceChanges: events.changes,
      PolicyPacks: packs,
      isPreview: request.kind === "preview",
      result: ok ? "succeeded" : "failed",
    },
  });
  request.emit({ cancelEvent: {} });
  return { ok, changes: events.changes, snapshot, maybeCorrupt: events.maybeCorrupt, plan };
}

/** A journal that accepts no entry after the run was terminated: operations that still run stay pending. */
function untilTerminated({ journal, terminate }: DeploymentRequest): { journal: SnapshotJournal; terminated: Promise<void> } {
  if (terminate === undefined) return { journal, terminated: new Promise(() => undefined) };
  const terminated = new Promise<void>((resolve) => {
    if (terminate.aborted) resolve();
    else terminate.addEventListener("abort", () => resolve(), { once: true });
  });
  return {
    journal: {
      append: (changes, lazy) => {
        if (!terminate.aborted) journal.append(changes, lazy);
      },
      durable: () => journal.durable?.(),
    },
    terminated,
  };
}

function warnOfPending(request: DeploymentRequest, events: EventLog): void {
  const { pendingOperations } = request.snapshot;
  if (pendingOperations.length === 0) return;
  const command = readEnv(ENV.pendingCommand)?.replaceAll("<stack>", request.stack);
  const next =
    command === undefined
      ? "Look at them, then clear the pending operations with `pulumi refresh --clear-pending-creates`."
      : `\`${command}\` looks at them, and says how each is taken into the state or forgotten.`;
  const lines = pendingOperations.map(({ resource, type }) => `  * ${resource.urn}, interrupted while ${type}`);
  events.diagnostic(
    "warning",
    `Attempting to deploy or update resources with ${pendingOperations.length} pending operations from previous deployment.\n${lines.join("\n")}\nThese resources are in an unknown state because the engine was interrupted while waiting for changes to complete. ${next}`,
  );
}
