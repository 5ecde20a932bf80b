/** A stack's file that the fuzz test's operations write, and readers beside them. */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { Backend } from "../../engine/backend/backend";
import { StateWriter } from "../../engine/backend/state-writer";
import { SnapshotComposition } from "../../engine/snapshot/composition";
import { brokenRule } from "../../engine/snapshot/integrity";
import type { SnapshotJournal } from "../../engine/snapshot/manager";
import { deserializeSnapshot } from "../../engine/snapshot/serialize";
import type { Snapshot } from "../../engine/snapshot/types";

const CODEC = { encrypt: (text: string): string => text, decrypt: (text: string): string => text };

/** What a reader can tell of a state. */
const printOf = ({ resources, pendingOperations }: Snapshot): string =>
  [...resources.map((r) => `${r.urn} ${r.id ?? ""} ${r.delete}`), ...pendingOperations.map(({ type, resource }) => `${type} ${resource.urn}`).sort()].join(
    "\n",
  );

export class WatchedFile {
  /** Every state so far, in order. */
  readonly #states: Snapshot[] = [{ resources: [], pendingOperations: [] }];
  /** Place of the newest state that a writer has acknowledged. */
  #acknowledged = 0;
  #runs = 0;
  #reads: Promise<void>[] = [];
  readonly #killed: StateWriter[] = [];

  private constructor(
    private readonly folder: string,
    private readonly backend: Backend,
  ) {}

  static async create(): Promise<WatchedFile> {
    const shared = "/dev/shm";
    const folder = fs.mkdtempSync(path.join(fs.existsSync(shared) ? shared : os.tmpdir(), "fuzz-state-"));
    const backend = await Backend.open(`file://${folder}`, "/");
    await backend.create("test", "dev");
    return new WatchedFile(folder, backend);
  }

  async close(): Promise<void> {
    // The system closes the files of a killed process.
    for (const writer of this.#killed.splice(0)) await writer.finish();
    fs.rmSync(this.folder, { recursive: true, force: true });
  }

  async #read(): Promise<void> {
    const atLeast = this.#acknowledged;
    const seen = deserializeSnapshot((await this.backend.load("test", "dev")) ?? {}, CODEC);
    await this.backend.list("test");
    const broken = brokenRule(seen.resources);
    if (broken !== undefined) throw new Error(`a reader saw a broken state: ${broken}`);
    const print = printOf(seen);
    if (!this.#states.slice(atLeast).some((state) => printOf(state) === print)) throw new Error(`a reader saw a state that is old, or was none:\n${print}`);
  }

  /** The journal of an operation. A reader starts beside every `every`th write. */
  writer(base: Snapshot, every: number): { journal: SnapshotJournal; end(killed: boolean): Promise<void> } {
    const kept = { resources: base.resources, pendingOperations: base.pendingOperations.filter(({ type }) => type === "creating") };
    const facts = { backend: this.backend, project: "test", stack: "dev", codec: CODEC, metadata: {} };
    const secretsProviders = { type: "passphrase", state: { salt: "v1:x" } };
    const writer = new StateWriter({ ...facts, secretsProviders, base: kept, ...(this.#runs++ % 2 === 0 ? { wholeLimit: 0 } : {}) });
    const composed = new SnapshotComposition(kept);
    for (const [at, operation] of kept.pendingOperations.entries()) composed.apply({ list: "pending", at, operation });
    let [writes, wanted] = [0, this.#acknowledged];
    const durable = (): Promise<void> | undefined => {
      const upTo = wanted;
      const acknowledge = (): void => {
        this.#acknowledged = Math.max(this.#acknowledged, upTo);
      };
      const waiting = writer.durable();
      if (waiting === undefined) acknowledge();
      return waiting?.then(acknowledge);
    };
    const append = (changes: Parameters<SnapshotJournal["append"]>[0], lazy?: boolean): void => {
      for (const change of changes) composed.apply(change);
      this.#states.push({ resources: composed.resources(), pendingOperations: composed.pending() });
      if (lazy !== true) wanted = this.#states.length - 1;
      writer.append(changes, lazy);
      if (writes++ % every === 0) this.#reads.push(this.#read());
    };
    const end = async (killed: boolean): Promise<void> => {
      await durable();
      if (killed) this.#killed.push(writer);
      else if (writer.touched) await writer.finish();
      this.#reads.push(this.#read());
      await Promise.all(this.#reads.splice(0));
    };
    return { journal: { append, durable }, end };
  }
}
