import { z } from "zod";

/** Name of a sender: in the collector's list of users and in every label. It is also the name of its stack. */
const senderName = z.string().regex(/^[a-z][a-z0-9-]{0,30}$/, "must be a name of a-z, 0-9 and -");

export const otelCollectorOptions = z.strictObject({
  senders: z
    .record(senderName, z.strictObject({ path: z.string(), key: z.string() }))
    .refine((senders) => Object.keys(senders).length > 0, "must have at least one sender: nobody else is let in")
    .describe(
      "By name of the environment: `path` and `key` of the password in secrets/ with which its box sends. What comes is labelled by that name, whatever it says of itself",
    ),
  replicas: z.int().min(1).max(3).default(2).describe("How many there are"),
});

export type OtelCollectorOptions = z.output<typeof otelCollectorOptions>;
