import { z } from "zod";
import type { Clock } from "../../common/clock";
import { LAB_SYSTEMS, type Persistent, type Records, type StampedRecord, type Unhandled, type UnhandledEntry } from "./world";

const recordSchema = z.object({
  seq: z.number(),
  at: z.string(),
  system: z.enum(LAB_SYSTEMS),
  target: z.string(),
  kind: z.enum(["read", "write"]),
  action: z.string(),
  detail: z.unknown().optional(),
});
const savedRecords = z.object({ last: z.number(), records: z.array(recordSchema) });
const savedUnhandled = z.array(z.object({ system: z.string(), target: z.string(), what: z.string(), at: z.string() }));

/** Reads are many (watches, polls) and seldom asked for: only this many of the latest are kept. */
const MAX_READS = 20_000;

/** The lab's own account of what was asked of it: tests assert on this and not on Pulumi's state. The snapshot keeps the writes. */
export function createRecords(clock: Clock): Records & Persistent {
  let entries: StampedRecord[] = [];
  let last = 0;
  let reads = 0;
  const dropOldReads = () => {
    let toDrop = reads - MAX_READS / 2;
    entries = entries.filter((e) => e.kind === "write" || toDrop-- <= 0);
    reads = MAX_READS / 2;
  };
  return {
    add: (entry) => {
      last += 1;
      entries.push({ seq: last, at: new Date(clock.now()).toISOString(), ...entry });
      if (entry.kind === "read") reads += 1;
      if (reads > MAX_READS) dropOldReads();
    },
    since: (seq = 0) => entries.filter((e) => e.seq > seq),
    save: () => ({ last, records: entries.filter((e) => e.kind === "write") }),
    restore: async (state) => {
      const saved = savedRecords.parse(state);
      last = saved.last;
      entries = saved.records.map(({ detail, ...rest }) => (detail === undefined ? rest : { ...rest, detail }));
      reads = 0;
    },
  };
}

/** Calls that the lab does not model. They survive a restart, so that a test at the end still sees them. */
export function createUnhandled(clock: Clock, onAdd: (entry: UnhandledEntry) => void = () => undefined): Unhandled & Persistent {
  let entries: (UnhandledEntry & { at: string })[] = [];
  return {
    add: (entry) => {
      entries.push({ ...entry, at: new Date(clock.now()).toISOString() });
      onAdd(entry);
    },
    all: () => [...entries],
    save: () => entries,
    restore: async (state) => {
      entries = savedUnhandled.parse(state);
    },
  };
}
