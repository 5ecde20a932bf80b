/** The container of external-dns: it is started again when it ends, later each time, and looks at the routes when they change. */
import type { LabContext, Persistent, Stoppable } from "../core/world";
import { type ExternalDns, startExternalDns } from "../external-dns";
import type { KubeObject } from "../kubernetes";
import type { JsonMap } from "../kubernetes/objects";
import type { Kube } from "./kube";
import { environmentOf } from "./pod-starts";

const FIRST_RESTART_MS = 10_000;
const LAST_RESTART_MS = 300_000;
const LOG_LINES = 500;
/** Kinds that names come from. */
const ROUTES = ["Ingress", "Service", "Gateway", "VirtualService"];
const ISTIO = "networking.istio.io/v1";

export class ExternalDnsContainer implements Stoppable, Persistent {
  readonly port = 0;
  readonly log: string[] = [];
  #process: ExternalDns | undefined;
  #failures = 0;
  readonly #release: () => void;

  /** @param schedule calls {@link turn} after so many milliseconds; a later call takes the place of an earlier one */
  constructor(
    private readonly kube: Kube,
    private readonly ctx: LabContext,
    private readonly pod: KubeObject,
    private readonly container: JsonMap,
    private readonly schedule: (ms: number) => void,
    private readonly changed: () => void,
  ) {
    this.#release = kube.store.onChange(({ object }) => {
      if (ROUTES.includes(object.kind) && this.#process?.settings.events === true) schedule(ctx.latency.of("external-dns.sync"));
    });
    schedule(0);
  }

  /** Its readiness probe asks whether it serves HTTP, which it does from its start on. */
  ready(): boolean {
    return this.#process !== undefined;
  }

  /** Starts the process if it does not run, and lets it process all routes once. */
  async turn(): Promise<void> {
    try {
      if (this.#process === undefined) {
        this.#process = await this.#start();
        this.changed();
      }
      await this.#process.runOnce();
      this.#failures = 0;
      this.schedule(this.#process.settings.intervalMs);
    } catch (thrown) {
      this.#say(`level=fatal msg="${thrown instanceof Error ? thrown.message : String(thrown)}"`);
      const ran = this.#process !== undefined;
      this.#process = undefined;
      if (ran) this.changed();
      this.schedule(Math.min(FIRST_RESTART_MS * 2 ** this.#failures++, LAST_RESTART_MS));
    }
  }

  #start(): Promise<ExternalDns> {
    const { kube, ctx, pod, container } = this;
    const args = container["args"];
    return startExternalDns({
      ctx,
      label: `${kube.cluster.name}/${pod.metadata.name}`,
      version: /:v?([\d.]+)/.exec(String(container["image"]).replace(/@.*$/, ""))?.[1] ?? "",
      args: Array.isArray(args) ? args.map(String) : [],
      environment: environmentOf(kube, pod, container),
      ingresses: () => kube.all("networking.k8s.io/v1", "Ingress"),
      services: () => kube.all("v1", "Service"),
      istio: () =>
        kube.store.types.byKind(ISTIO, "VirtualService") === undefined
          ? undefined
          : { gateways: kube.all(ISTIO, "Gateway"), virtualServices: kube.all(ISTIO, "VirtualService") },
      log: (line) => this.#say(line),
    });
  }

  #say(line: string): void {
    this.log.push(`time="${new Date(this.ctx.clock.now()).toISOString()}" ${line}`);
    if (this.log.length > LOG_LINES) this.log.shift();
  }

  save(): unknown {
    return {};
  }

  async restore(): Promise<void> {
    // It keeps nothing.
  }

  async stop(): Promise<void> {
    this.#release();
  }
}
