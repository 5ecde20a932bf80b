import { z } from "zod";
import { storePath } from "../../../common/vault-layout";

export const sharedSecretsOptions = z.strictObject({
  below: z.string().default(storePath()).describe("The entries of secrets/ below this path go into it"),
});

export type SharedSecretsOptions = z.output<typeof sharedSecretsOptions>;
