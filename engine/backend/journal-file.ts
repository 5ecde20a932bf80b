/**
 * The journal beside a stack's file: what a running update has changed since the file was written, for states that are too large
 * to be written whole at each step. While it exists, the stack file says so (see {@link JOURNAL_FEATURE}).
 *
 * First line: `{"version":2,"base":<sha256 of the stack file that it goes with>,"places":…}`. The journal is created before the stack
 * file says that it has one, and removed after the stack file was written whole, so such a file always has the journal that fits.
 * Each further line: a list of changes as in snapshot/composition.ts, resources in the state file's form, secrets encrypted. A last
 * line that was cut off was never acknowledged and is ignored.
 */
import { createHash } from "node:crypto";
import { z } from "zod";
import { CliError } from "../errors";
import { parseExactJson } from "../wire/exact-json";
import type { RawDeployment } from "./checkpoint";
import { newManifest } from "./checkpoint";

export const journalKey = (project: string, stack: string): string => `.pulumi/stacks/${project}/${stack}.journal`;

const hash = (text: string): string => createHash("sha256").update(text).digest("hex");
const numbers = z.array(z.number());

/** Which place in the run's lists each entry of the stack file has. The file's resources are those of `new`, then those of `old`. */
const placesSchema = z.object({ new: numbers, old: numbers, pending: numbers });
const headSchema = z.object({ version: z.number(), base: z.string(), places: placesSchema.optional() });
const changeSchema = z.object({ list: z.enum(["new", "old", "pending"]), at: z.number(), value: z.unknown() });

export type JournalPlaces = z.infer<typeof placesSchema>;

export const journalHead = (base: string, places: JournalPlaces): string => `${JSON.stringify({ version: 2, base: hash(base), places })}\n`;

export interface JournalledChange {
  list: "new" | "old" | "pending";
  at: number;
  /** JSON text of a resource or a pending operation; null empties the place. */
  text: string | null;
}

export const journalLine = (changes: readonly JournalledChange[]): string =>
  `[${changes.map(({ list, at, text }) => `{"list":"${list}","at":${at},"value":${text ?? "null"}}`).join(",")}]\n`;

/**
 * The deployment with a journal's changes applied; undefined where the journal belongs to another stack file.
 * @param stackFile text of the stack file as it stands
 * @throws CliError for a journal that is damaged before its last line
 */
export function foldJournal(latest: RawDeployment | undefined, journal: string, stackFile: string, file: string): RawDeployment | undefined {
  const [first, ...lines] = journal.split("\n").slice(0, -1);
  if (first === undefined) return undefined;
  try {
    const { version, base, places } = headSchema.parse(JSON.parse(first));
    if (base !== hash(stackFile)) return undefined;
    if (version !== 2 || places === undefined) throw new Error(`it is of version ${version}`);
    const lists = { new: new Map<number, unknown>(), old: new Map<number, unknown>(), pending: new Map<number, unknown>() };
    const resources = latest?.resources ?? [];
    for (const [index, at] of places.new.entries()) lists.new.set(at, resources[index]);
    for (const [index, at] of places.old.entries()) lists.old.set(at, resources[places.new.length + index]);
    for (const [index, at] of places.pending.entries()) lists.pending.set(at, latest?.pending_operations?.[index]);
    for (const line of lines) {
      for (const { list, at, value } of z.array(changeSchema).parse(parseExactJson(line))) {
        if (value === null) lists[list].delete(at);
        else lists[list].set(at, value);
      }
    }
    const inOrder = (list: Map<number, unknown>): unknown[] => [...list].sort(([a], [b]) => a - b).map(([, value]) => value);
    return {
      ...latest,
      manifest: newManifest(),
      resources: [...inOrder(lists.new), ...inOrder(lists.old)],
      pending_operations: inOrder(lists.pending),
      metadata: latest?.metadata ?? {},
    };
  } catch (cause) {
    throw new CliError(`the journal ${file} of an update that was killed cannot be read; the stack's state before that update is in the .bak beside it`, 1, {
      cause,
    });
  }
}
