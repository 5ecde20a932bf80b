import { z } from "zod";
import { addressAndPort } from "../option-types";

/** The token that may edit the domain's records at Cloudflare. */
export const CLOUDFLARE_TOKEN = { path: "cloudflare", key: "api-token" } as const;

export const certManagerOptions = z.strictObject({
  issuer: z
    .enum(["letsencrypt", "letsencrypt-staging", "own-authority"])
    .default("letsencrypt")
    .describe(
      "Who signs. `letsencrypt`: trusted everywhere; needs a token of Cloudflare. `letsencrypt-staging`: the same, for trials: it counts no failures, and no device trusts its certificates. `own-authority`: the authority in secrets/, which devices must be told to trust",
    ),
  email: z.email().optional().describe("Mail address for the certificate authority. Left out: `homelab:acmeEmail`"),
  nameservers: z
    .array(addressAndPort("1.1.1.1:53"))
    .min(1)
    .default(["1.1.1.1:53", "8.8.8.8:53"])
    .describe("Resolvers that DNS-01 checks ask, as `address:port`"),
});

export type CertManagerOptions = z.output<typeof certManagerOptions>;
