import { z } from "zod";
import { storePath } from "../../../common/vault-layout";
import { podLabels } from "../option-types";

const metricsOf = z.strictObject({
  namespace: z.string().min(1),
  port: z.int().min(1).max(65_535),
  path: z.string().startsWith("/").default("/metrics"),
  labels: podLabels.describe("Of the pods"),
});

export const boxOptions = z.strictObject({
  credential: z
    .strictObject({ path: z.string(), key: z.string() })
    .describe("`path` and `key` in secrets/ of the password with which it sends, as a user with the name of the environment"),
  metrics: z.boolean().default(true).describe("Whether the cluster is measured. false where something else does it"),
  otlp: z.boolean().default(true).describe("Whether applications of the cluster can send here, by OTLP without a password"),
  replicas: z.int().min(1).max(3).default(1).describe("How many take what applications send"),
  scrape: z
    .record(z.string().regex(/^[a-z][a-z0-9-]{0,40}$/, "must be a name of a-z, 0-9 and -"), metricsOf)
    .default({})
    .describe(
      "By name of the job: further pods that are measured, by the `namespace` that they are in, their `labels`, and `port` and `path` of their metrics",
    ),
});

export const BOX_EXAMPLE = { credential: { path: storePath("BOX"), key: "BOX_PASSWORD" } } as const;

export type BoxOptions = z.output<typeof boxOptions>;
