import * as fs from "node:fs";
import { z } from "zod";
import type { Clock } from "../../common/clock";
import { HomelabError, systemErrorCode } from "../../common/errors";
import { writeFileAtomic } from "../../common/files";
import { labSiteSchema } from "../../common/lab-site";

const schema = z.object({
  version: z.literal(1),
  /** The homelab that is modelled. Snapshots of older versions have none. */
  site: labSiteSchema.optional(),
  authority: z.unknown(),
  bastionHostKey: z.string(),
  records: z.unknown(),
  unhandled: z.unknown(),
  proxmox: z.unknown(),
  disks: z.record(z.string(), z.unknown()),
});
/** Everything that the lab knows, as plain data. */
export type Snapshot = z.infer<typeof schema>;

/** @returns undefined when there is none @throws HomelabError E_LAB_SNAPSHOT when it cannot be used */
export function readSnapshot(file: string): Snapshot | undefined {
  let text: string;
  try {
    text = fs.readFileSync(file, "utf8");
  } catch (cause) {
    if (systemErrorCode(cause) === "ENOENT") return undefined;
    throw new HomelabError("E_LAB_SNAPSHOT", `the lab's state ${file} cannot be read`, { subject: file, cause });
  }
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw new HomelabError("E_LAB_SNAPSHOT", `the lab's state ${file} is damaged`, {
      subject: file,
      cause,
      hint: "remove the lab's folder to begin with an empty homelab",
    });
  }
}

/** At most one write in this many milliseconds. */
const PAUSE_MS = 1000;

/** Writing takes at most this share of the lab's time: a large homelab is written less often. */
const SHARE = 0.05;

export interface SnapshotWriter {
  /** The state changed: it is written within a second (later where writing takes long). */
  changed(): void;
  /** Writes now, and ends the writing. */
  close(): Promise<void>;
}

export function createSnapshotWriter(file: string, clock: Clock, collect: () => Promise<Snapshot>, onError: (error: unknown) => void): SnapshotWriter {
  let dirty = false;
  let running: Promise<void> | undefined;
  let pause = PAUSE_MS;
  const end = new AbortController();
  const write = async (): Promise<void> => writeFileAtomic(file, JSON.stringify(await collect()));
  const loop = async (): Promise<void> => {
    while (dirty && !end.signal.aborted) {
      // Aborted by close(), which writes itself.
      await clock.sleep(pause, end.signal).catch(() => undefined);
      if (end.signal.aborted) return;
      dirty = false;
      const began = performance.now();
      await write();
      pause = Math.max(PAUSE_MS, (performance.now() - began) / SHARE);
    }
  };
  return {
    changed: () => {
      dirty = true;
      if (running || end.signal.aborted) return;
      running = loop()
        .catch(onError)
        .finally(() => {
          running = undefined;
        });
    },
    close: async () => {
      end.abort();
      await running;
      await write();
    },
  };
}
