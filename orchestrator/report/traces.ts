/**
 * A run as a trace of OpenTelemetry: a span for the run, below it one for each stack, below these one for each step, which is a call of
 * a provider. The official SDK sends it, and is loaded only where an endpoint is set. A trace has names and codes, and no values.
 */
import type { Span, Tracer } from "@opentelemetry/api";
import type { SpanExporter } from "@opentelemetry/sdk-trace-base";
import { readEnv } from "../../common/env";
import { asError } from "../../common/errors";
import { usageError } from "../cli/arguments";
import { isWell } from "../schedule/queue";
import type { RunEvent } from "../schedule/run";

/** As the OpenTelemetry specification names them ("Environment Variable Specification", "OpenTelemetry Protocol Exporter"). */
const OTEL = {
  endpoints: ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"],
  protocols: ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"],
  disabled: "OTEL_SDK_DISABLED",
  service: "OTEL_SERVICE_NAME",
} as const;

/** More spans than a run of a very large homelab has; the SDK drops spans above this number. */
const QUEUE = 100_000;
/** Milliseconds for the last batch: a collector that hangs must not hold up the run's end. */
const LAST_BATCH = 5_000;

export interface RunTrace {
  event(event: RunEvent): void;
  /** Sends what is left. @returns what went wrong, or undefined */
  close(): Promise<string | undefined>;
}

/** @throws HomelabError E_USAGE for a protocol that is not supported */
async function exporter(): Promise<SpanExporter> {
  const protocol = OTEL.protocols.map(readEnv).find((value) => value !== undefined) ?? "http/protobuf";
  switch (protocol) {
    case "http/protobuf":
      return new (await import("@opentelemetry/exporter-trace-otlp-proto")).OTLPTraceExporter();
    case "grpc":
      return new (await import("@opentelemetry/exporter-trace-otlp-grpc")).OTLPTraceExporter();
    default:
      throw usageError(`traces are sent by http/protobuf or grpc, and OTEL_EXPORTER_OTLP_PROTOCOL is ${protocol}`, "set one of the two, or unset it");
  }
}

/** Turns events into spans. Times are given as dates: the SDK would take a small number for a time of its own clock. */
class Spans {
  #run: Span | undefined;
  readonly #stacks = new Map<string, Span>();
  readonly #steps = new Map<string, Span>();

  constructor(
    private readonly api: typeof import("@opentelemetry/api"),
    private readonly tracer: Tracer,
    private readonly attributes: Readonly<Record<string, string>>,
  ) {}

  #start(name: string, at: number, parent: Span | undefined, attributes: Readonly<Record<string, string>>): Span {
    const context = parent === undefined ? this.api.ROOT_CONTEXT : this.api.trace.setSpan(this.api.ROOT_CONTEXT, parent);
    return this.tracer.startSpan(name, { startTime: new Date(at), attributes }, context);
  }

  #end(span: Span | undefined, at: number, failure: string | undefined): void {
    if (failure !== undefined) span?.setStatus({ code: this.api.SpanStatusCode.ERROR, message: failure });
    span?.end(new Date(at));
  }

  event(event: RunEvent): void {
    switch (event.kind) {
      case "run-started":
        this.#run = this.#start(`homelab ${event.operation}`, event.at, undefined, { ...this.attributes, "homelab.stacks": event.stacks.join(",") });
        break;
      case "stack-started":
        this.#stacks.set(event.stack, this.#start(`stack ${event.stack}`, event.at, this.#run, { "homelab.stack": event.stack }));
        break;
      case "stack-retrying": {
        const { attempt, class: why, delay } = event.retry;
        this.#stacks.get(event.stack)?.addEvent("retry", { "retry.attempt": attempt, "retry.class": why, "retry.delay_ms": delay }, new Date(event.at));
        this.#endSteps(event.stack, event.at);
        break;
      }
      case "step-started":
      case "step-done":
      case "step-failed":
        this.#step(event);
        break;
      case "stack-finished": {
        const { status, error } = event.outcome;
        this.#endSteps(event.stack, event.at);
        const span = this.#stacks.get(event.stack);
        span?.setAttribute("homelab.status", status);
        this.#end(span, event.at, isWell(status) ? undefined : (error?.code ?? status));
        break;
      }
      case "run-finished":
        this.#end(this.#run, event.at, event.ok ? undefined : "not all stacks succeeded");
        break;
      case "diagnostic":
      case "progress":
      case "interrupted":
      case "timed-out":
        break;
    }
  }

  #step(event: Extract<RunEvent, { step: unknown }>): void {
    const { op, urn, type, name } = event.step;
    if (op === "same") return;
    const key = `${event.stack} ${urn} ${op}`;
    if (event.kind === "step-started")
      this.#steps.set(
        key,
        this.#start(`${op} ${type} ${name}`, event.at, this.#stacks.get(event.stack), { "pulumi.op": op, "pulumi.type": type, "pulumi.urn": urn }),
      );
    else {
      this.#end(this.#steps.get(key), event.at, event.kind === "step-failed" ? "failed" : undefined);
      this.#steps.delete(key);
    }
  }

  /** Ends the spans of steps that were interrupted: no event ends them. */
  #endSteps(stack: string, at: number): void {
    for (const [key, span] of this.#steps) {
      if (!key.startsWith(`${stack} `)) continue;
      this.#end(span, at, "cut");
      this.#steps.delete(key);
    }
  }
}

/**
 * The trace of a run, where an endpoint is set in the environment.
 * @param attributes of its first span
 * @param given an exporter of a test's own
 * @throws HomelabError E_USAGE for a protocol that is not supported
 */
export async function runTrace(attributes: Readonly<Record<string, string>>, given?: SpanExporter): Promise<RunTrace | undefined> {
  const isAsked = OTEL.endpoints.some((name) => readEnv(name) !== undefined) && readEnv(OTEL.disabled)?.toLowerCase() !== "true";
  if (given === undefined && !isAsked) return undefined;
  const [api, { BasicTracerProvider, BatchSpanProcessor }, { Resource }] = await Promise.all([
    import("@opentelemetry/api"),
    import("@opentelemetry/sdk-trace-base"),
    import("@opentelemetry/resources"),
  ]);
  const failures: string[] = [];
  const target = given ?? (await exporter());
  // The SDK's processor does not report batches that fail, so the exporter's results are watched.
  const watched: SpanExporter = {
    export: (spans, done) =>
      target.export(spans, (result) => {
        if (result.error !== undefined) failures.push(result.error.message);
        done(result);
      }),
    shutdown: () => target.shutdown(),
  };
  const processor = new BatchSpanProcessor(watched, { maxQueueSize: QUEUE, exportTimeoutMillis: LAST_BATCH });
  const provider = new BasicTracerProvider({
    resource: new Resource({ "service.name": readEnv(OTEL.service) ?? "homelab" }),
    spanProcessors: [processor],
  });
  const spans = new Spans(api, provider.getTracer("homelab"), attributes);
  return {
    event: (event) => spans.event(event),
    close: async () => {
      try {
        await Promise.race([
          provider.shutdown(),
          new Promise((_, reject) => setTimeout(reject, LAST_BATCH, new Error("the collector did not answer")).unref()),
        ]);
      } catch (thrown) {
        failures.push(asError(thrown).message);
      }
      return failures[0];
    },
  };
}
