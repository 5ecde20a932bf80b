/**
 * Keeps a stack's state on disk while an operation runs. Changes are collected while a write is under way and go out together;
 * whoever needs to know that a change is durable waits for {@link StateWriter.durable}.
 *
 * A state of ordinary size is written whole each time: the stack file is then complete at any instant, for the CLI too. A larger
 * one, in a store that can append, gets a journal (journal-file.ts) and is written whole at the end: each change costs the same,
 * however large the state is. In both cases an operation's note is durable before its provider is called.
 */
import * as fs from "node:fs/promises";
import * as path from "node:path";
import { DeploymentError } from "../errors";
import type { SnapshotChange } from "../snapshot/composition";
import type { SnapshotJournal } from "../snapshot/manager";
import { type SecretsCodec, serializePending, serializeResource } from "../snapshot/serialize";
import type { ResourceState, Snapshot } from "../snapshot/types";
import { exactJson } from "../wire/exact-json";
import type { Backend } from "./backend";
import { featuresOf, JOURNAL_FEATURE, renderAround } from "./checkpoint";
import { type JournalledChange, journalHead, journalKey, journalLine } from "./journal-file";

/** Characters of resources up to which a whole write costs about as much as an appended line (bench/engine, docs/state.md). */
const WHOLE_LIMIT = 128 * 1024;

export interface WriterFacts {
  backend: Backend;
  project: string;
  stack: string;
  codec: SecretsCodec;
  /** `secrets_providers` of the file. */
  secretsProviders: unknown;
  metadata: unknown;
  /** The state that the run begins with; of its pending operations only those that the run keeps. */
  base: Snapshot;
  /** See {@link WHOLE_LIMIT}. */
  wholeLimit?: number;
}

interface Entry {
  text: string;
  features: string[];
}

/** The message of an error, and those of its causes: what a store answered is among them. */
function reasonOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  return thrown.cause === undefined ? thrown.message : `${thrown.message}: ${reasonOf(thrown.cause)}`;
}

export class StateWriter implements SnapshotJournal {
  readonly #new = new Map<number, Entry>();
  readonly #old = new Map<number, ResourceState | Entry>();
  readonly #pending = new Map<number, string>();
  /** Changes that no write has taken yet. */
  #waiting: JournalledChange[][] = [];
  /** Numbers of batches: appended so far; appended up to the last one that is not lazy; written. */
  #appended = 0;
  #wanted = 0;
  #written = 0;
  #failure: DeploymentError | undefined;
  #pump: Promise<void> | undefined;
  #running = false;
  #listeners: { upTo: number; resolve: () => void; reject: (error: Error) => void }[] = [];
  #journal: fs.FileHandle | undefined;
  #backedUp = false;
  #size: number | undefined;

  constructor(private readonly facts: WriterFacts) {
    for (const [at, state] of facts.base.resources.entries()) this.#old.set(at, state);
    for (const [at, operation] of facts.base.pendingOperations.entries()) this.#pending.set(at, exactJson(serializePending(operation, facts.codec)));
  }

  #entry(state: ResourceState): Entry {
    const raw = serializeResource(state, this.facts.codec);
    return { text: exactJson(raw), features: featuresOf(raw) };
  }

  #take(change: SnapshotChange): JournalledChange {
    if (change.list === "pending") {
      const text = change.operation === null ? null : exactJson(serializePending(change.operation, this.facts.codec));
      if (text === null) this.#pending.delete(change.at);
      else this.#pending.set(change.at, text);
      return { list: "pending", at: change.at, text };
    }
    const list = change.list === "new" ? this.#new : this.#old;
    if (change.state === null) {
      list.delete(change.at);
      return { list: change.list, at: change.at, text: null };
    }
    const entry = this.#entry(change.state);
    list.set(change.at, entry);
    if (this.#size !== undefined) this.#size += entry.text.length;
    return { list: change.list, at: change.at, text: entry.text };
  }

  /** @param lazy the file's content does not change by it: it may wait for the next write */
  append(changes: readonly SnapshotChange[], lazy = false): void {
    if (this.#failure !== undefined) throw this.#failure;
    this.#waiting.push(changes.map((change) => this.#take(change)));
    this.#appended++;
    if (lazy) return;
    this.#wanted = this.#appended;
    this.#start();
  }

  /** Resolves when all that was appended (except what may wait) is durable; undefined when it is already. */
  durable(): Promise<void> | undefined {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#written >= this.#wanted) return undefined;
    return new Promise((resolve, reject) => this.#listeners.push({ upTo: this.#wanted, resolve, reject }));
  }

  #start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#pump = this.#run();
  }

  async #run(): Promise<void> {
    try {
      // What is appended in the same turn goes out together.
      await Promise.resolve();
      while (this.#written < this.#wanted) {
        const batches = this.#waiting;
        const upTo = this.#appended;
        this.#waiting = [];
        await this.#write(batches);
        this.#written = upTo;
        const done = this.#listeners.filter((listener) => listener.upTo <= upTo);
        this.#listeners = this.#listeners.filter((listener) => listener.upTo > upTo);
        for (const { resolve } of done) resolve();
      }
      // In the same turn of the event loop as the last check of #wanted, so that a change after it starts a new run.
      this.#running = false;
    } catch (cause) {
      const { backend, project, stack } = this.facts;
      this.#failure = new DeploymentError(`the state cannot be written to ${backend.bucket.url(backend.stackKey(project, stack))}: ${reasonOf(cause)}`);
      for (const { reject } of this.#listeners.splice(0)) reject(this.#failure);
    }
  }

  async #write(batches: readonly JournalledChange[][]): Promise<void> {
    if (this.#journal === undefined) {
      const file = this.facts.backend.bucket.file(journalKey(this.facts.project, this.facts.stack));
      await this.#backUp();
      if (file === undefined || this.#textSize() <= (this.facts.wholeLimit ?? WHOLE_LIMIT)) await this.#writeFile(this.#render([]));
      else await this.#openJournal(file);
      return;
    }
    await this.#journal.appendFile(batches.map(journalLine).join(""));
    await this.#journal.datasync();
  }

  /** An upper bound: text that was replaced still counts, which only makes the journal begin earlier. */
  #textSize(): number {
    this.#size ??= this.#all().reduce((sum, entry) => sum + entry.text.length, 0);
    return this.#size;
  }

  #list(list: Map<number, ResourceState | Entry>): [number, Entry][] {
    const entries: [number, Entry][] = [];
    for (const [at, value] of list) {
      const entry = "text" in value ? value : this.#entry(value);
      if (entry !== value) list.set(at, entry);
      entries.push([at, entry]);
    }
    // Places are filled in rising order; only a place that was emptied and filled again would stand at the end.
    return entries.sort(([a], [b]) => a - b);
  }

  #all(): Entry[] {
    return [...this.#list(this.#new), ...this.#list(this.#old)].map(([, entry]) => entry);
  }

  async #backUp(): Promise<void> {
    const { backend, project, stack } = this.facts;
    // A journal that a killed run left is part of the state. The file is written whole before that journal is overwritten.
    if (!this.#backedUp && (await backend.backUp(project, stack))) await this.#writeFile(this.#render([]));
    this.#backedUp = true;
  }

  async #writeFile(text: string): Promise<void> {
    const { backend, project, stack } = this.facts;
    await backend.bucket.write(backend.stackKey(project, stack), text);
  }

  /** The whole file as of now. */
  #render(extraFeatures: string[]): string {
    const { project, stack, secretsProviders, metadata } = this.facts;
    const entries = this.#all();
    const features = [...new Set([...entries.flatMap((entry) => entry.features), ...extraFeatures])];
    const inner = { resources: entries.map((entry) => entry.text).join(","), pending: [...this.#pending.values()].join(",") };
    return renderAround({ project, stack }, features, secretsProviders, metadata, inner);
  }

  /**
   * Writes the current state with {@link JOURNAL_FEATURE}, and the empty journal that goes with it. Later changes go into the journal.
   * A change that the file has already may be in the journal again, which has no effect.
   */
  async #openJournal(file: string): Promise<void> {
    const places = { new: [...this.#new.keys()].sort((a, b) => a - b), old: [...this.#old.keys()].sort((a, b) => a - b), pending: [...this.#pending.keys()] };
    const base = this.#render([JOURNAL_FEATURE]);
    const handle = await fs.open(file, "w", 0o600);
    this.#journal = handle;
    await handle.appendFile(journalHead(base, places));
    await handle.sync();
    const folder = await fs.open(path.dirname(file), "r");
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
    // After the journal, so that a reader of this file finds its journal.
    await this.#writeFile(base);
  }

  /** Whether anything was appended. */
  get touched(): boolean {
    return this.#appended > 0;
  }

  /** Writes the whole file and removes the journal. Nothing is written after it has ended, even where it failed. */
  async finish(): Promise<void> {
    this.#wanted = this.#appended;
    if (this.#written < this.#wanted && this.#failure === undefined) this.#start();
    await this.#pump;
    try {
      if (this.#failure !== undefined) throw this.#failure;
      const { backend, project, stack } = this.facts;
      await this.#backUp();
      await this.#writeFile(this.#render([]));
      await backend.bucket.remove(journalKey(project, stack));
    } finally {
      await this.#journal?.close();
      this.#journal = undefined;
    }
  }
}
