import { z } from "zod";

export const sharedSecretsOptions = z.strictObject({
  below: z.string().default("cluster-secret-store/secrets").describe("The entries of secrets/ below this path go into it"),
});

export type SharedSecretsOptions = z.output<typeof sharedSecretsOptions>;
