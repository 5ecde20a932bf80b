/** A work queue by key, as controllers have it: a key that is added again while it waits is processed once. */
import type { LabContext } from "../core/world";
import { StatusError } from "../kubernetes/status";

export type Reconcile = (namespace: string | undefined, name: string) => void | Promise<void>;

interface Key {
  kind: string;
  namespace: string | undefined;
  name: string;
}

/** Races with clients, which the next event resolves: an object was deleted or created meanwhile, or its namespace is being deleted. */
const PASSING = new Set([403, 404, 409]);

export class WorkQueue {
  readonly #handlers = new Map<string, Reconcile[]>();
  readonly #waiting = new Map<string, Key>();
  readonly #running = new Set<string>();
  readonly #again = new Map<string, Key>();
  readonly #timers = new Map<string, AbortController>();
  #idle: (() => void)[] = [];
  #scheduled = false;
  #stopped = false;

  constructor(
    private readonly target: string,
    private readonly ctx: LabContext,
  ) {}

  on(kind: string, handler: Reconcile): void {
    this.#handlers.set(kind, [...(this.#handlers.get(kind) ?? []), handler]);
  }

  add(kind: string, namespace: string | undefined, name: string): void {
    if (this.#stopped || !this.#handlers.has(kind)) return;
    this.#waiting.set(`${kind}/${namespace ?? ""}/${name}`, { kind, namespace, name });
    if (this.#scheduled) return;
    this.#scheduled = true;
    // After the request that changed something has been answered.
    setImmediate(() => this.#drain());
  }

  /** Adds the key when `ms` have passed; a later call for the same key takes the place of an earlier one. */
  after(ms: number, kind: string, namespace: string | undefined, name: string): void {
    if (this.#stopped) return;
    if (ms <= 0) {
      this.add(kind, namespace, name);
      return;
    }
    const id = `${kind}/${namespace ?? ""}/${name}`;
    this.#timers.get(id)?.abort();
    const timer = new AbortController();
    this.#timers.set(id, timer);
    this.ctx.clock.sleep(ms, timer.signal).then(
      () => {
        if (this.#timers.get(id) === timer) this.#timers.delete(id);
        this.add(kind, namespace, name);
      },
      (reason: unknown) => {
        if (!timer.signal.aborted) this.#failed(id, reason);
      },
    );
  }

  #drain(): void {
    this.#scheduled = false;
    for (const [id, key] of [...this.#waiting]) {
      this.#waiting.delete(id);
      if (this.#stopped) continue;
      if (this.#running.has(id)) this.#again.set(id, key);
      else this.#run(id, key);
    }
    this.#rest();
  }

  #run(id: string, { kind, namespace, name }: Key): void {
    const pending: Promise<void>[] = [];
    for (const handler of this.#handlers.get(kind) ?? []) {
      try {
        const result = handler(namespace, name);
        if (result instanceof Promise) pending.push(result.catch((thrown: unknown) => this.#failed(id, thrown)));
      } catch (thrown) {
        this.#failed(id, thrown);
      }
    }
    if (pending.length === 0) return;
    this.#running.add(id);
    void Promise.all(pending).then(() => {
      this.#running.delete(id);
      const again = this.#again.get(id);
      this.#again.delete(id);
      if (again) this.add(again.kind, again.namespace, again.name);
      this.#rest();
    });
  }

  #failed(id: string, thrown: unknown): void {
    if (thrown instanceof StatusError && PASSING.has(thrown.code)) return;
    this.ctx.unhandled.add({ system: "controllers", target: this.target, what: `bug: ${id}: ${thrown instanceof Error ? thrown.stack : String(thrown)}` });
  }

  #rest(): void {
    if (this.#waiting.size > 0 || this.#running.size > 0) return;
    const idle = this.#idle;
    this.#idle = [];
    for (const done of idle) done();
  }

  /** Resolves when no work is queued or running. Work that is scheduled for later does not count. */
  settled(): Promise<void> {
    if (this.#waiting.size === 0 && this.#running.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    for (const timer of this.#timers.values()) timer.abort();
    this.#timers.clear();
    this.#waiting.clear();
    this.#again.clear();
    await this.settled();
  }
}
