import { z } from "zod";
import { defineModule } from "../module";

const options = z.strictObject({
  /** The entries of secrets/ below this path go into it. */
  below: z.string().default("cluster-secret-store/secrets"),
});

export const sharedSecrets = defineModule({
  name: "shared-secrets",
  summary: "one Secret with many entries in every namespace that is labelled cluster-secrets=true, for what still needs it",
  options,
  parts: () => ({ needs: ["external-secrets", "cluster-access"] }),
});
