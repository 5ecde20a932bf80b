import { z } from "zod";

export const sharedSecretsOptions = z.strictObject({
  /** The entries of secrets/ below this path go into it. */
  below: z.string().default("cluster-secret-store/secrets"),
});

export type SharedSecretsOptions = z.output<typeof sharedSecretsOptions>;
