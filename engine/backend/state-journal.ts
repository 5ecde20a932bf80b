/**
 * The journal beside a stack's file, in which a running update notes each change of the state: one JSON line, synced, before
 * the next step. The stack file itself is written at the end; then the journal is gone. After a kill
 * the next command finds both and folds the journal in, so that nothing that was made is forgotten.
 *
 * First line: `{"version":1,"base":<sha256 of the stack file's text that it goes with>}`; a journal whose base is another file
 * is stale (that file was written after it) and is ignored. Each further line: a list of changes as in snapshot/manager.ts,
 * resources in the state file's form, secrets encrypted. A last line that was cut off was never acknowledged and is ignored.
 */
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { z } from "zod";
import type { SnapshotChange, SnapshotJournal } from "../snapshot/manager";
import { type SecretsCodec, serializePending, serializeResource } from "../snapshot/serialize";
import type { Backend } from "./backend";
import type { RawDeployment } from "./checkpoint";
import { newManifest } from "./checkpoint";

export const journalKey = (project: string, stack: string): string => `.pulumi/stacks/${project}/${stack}.journal`;

const hash = (text: string): string => createHash("sha256").update(text).digest("hex");

const headSchema = z.object({ version: z.literal(1), base: z.string() });
const changeSchema = z.object({ list: z.enum(["new", "old", "pending"]), at: z.number(), value: z.unknown() });

/** The deployment with a journal's changes applied. */
export function foldJournal(latest: RawDeployment | undefined, journal: string, stackFile: string): RawDeployment | undefined {
  const [first, ...lines] = journal.split("\n").slice(0, -1);
  if (first === undefined || headSchema.parse(JSON.parse(first)).base !== hash(stackFile)) return latest;
  const old: unknown[] = [...(latest?.resources ?? [])];
  const fresh: unknown[] = [];
  // Creations that an earlier run left pending have the first numbers, as in the manager that wrote the journal.
  const carried = (latest?.pending_operations ?? []).filter((operation) => z.looseObject({ type: z.string() }).parse(operation).type === "creating");
  const pending = new Map<number, unknown>(carried.entries());
  for (const line of lines) {
    for (const { list, at, value } of z.array(changeSchema).parse(JSON.parse(line))) {
      if (list === "pending") {
        if (value === null) pending.delete(at);
        else pending.set(at, value);
      } else (list === "new" ? fresh : old)[at] = value;
    }
  }
  return {
    ...latest,
    manifest: newManifest(),
    resources: [...fresh, ...old].filter((resource) => resource !== null && resource !== undefined),
    pending_operations: [...pending.values()],
    metadata: latest?.metadata ?? {},
  };
}

/** Keeps a stack's state on disk while an update runs. */
export class StateJournal implements SnapshotJournal {
  #fd: number | undefined;

  /**
   * @param render the whole deployment as it is now
   * @param codec encrypts the secrets of single resources
   */
  constructor(
    private readonly backend: Backend,
    private readonly project: string,
    private readonly stack: string,
    private readonly codec: SecretsCodec,
    private readonly render: () => RawDeployment,
  ) {}

  append(changes: readonly SnapshotChange[]): void {
    const lines = changes.map((change) => ({
      list: change.list,
      at: change.at,
      value:
        change.list === "pending"
          ? change.operation && serializePending(change.operation, this.codec)
          : change.state && serializeResource(change.state, this.codec),
    }));
    this.#fd ??= this.#open();
    fs.writeSync(this.#fd, `${JSON.stringify(lines)}\n`);
    fs.fsyncSync(this.#fd);
  }

  #open(): number {
    const { bucket } = this.backend;
    const file = bucket.path(journalKey(this.project, this.stack));
    const base = hash(bucket.read(this.backend.stackKey(this.project, this.stack)) ?? "");
    fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    const fd = fs.openSync(file, "w", 0o600);
    fs.writeSync(fd, `${JSON.stringify({ version: 1, base })}\n`);
    return fd;
  }

  /** Writes the whole file; the journal is gone. */
  finish(): void {
    this.backend.save(this.project, this.stack, this.render());
    if (this.#fd !== undefined) fs.closeSync(this.#fd);
    this.#fd = undefined;
  }
}
