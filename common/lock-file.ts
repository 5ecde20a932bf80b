import { z } from "zod";

/**
 * A lock in a state backend: the CLI's four fields, and `process`, which tells the process from a later one with the same number. The
 * CLI ignores it.
 */
export const lockFileSchema = z.object({
  pid: z.number(),
  username: z.string(),
  hostname: z.string(),
  /** RFC 3339 */
  timestamp: z.string(),
  process: z.object({ startTime: z.string(), bootId: z.string(), pidNamespace: z.string(), machineId: z.string() }).optional(),
});

export type LockFile = z.infer<typeof lockFileSchema>;
