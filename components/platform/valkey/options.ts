import { z } from "zod";
import { storePath } from "../../../common/vault-layout";
import { volumeSize } from "../option-types";

export const valkeyOptions = z.strictObject({
  storageClass: z.string().optional().describe("Class of its volume. Left out: the cluster's own"),
  size: volumeSize.default("10Gi").describe("Size of its volume"),
  memoryMiB: z.int().min(32).default(256).describe("Memory for its values; a write beyond it is refused, and nothing is evicted"),
  users: z
    .record(
      z.string().regex(/^(?!default$)[a-z][a-z0-9-]{0,30}$/, "must be a name of a-z, 0-9 and -, and not default, which is off"),
      z.strictObject({
        keys: z.array(z.string().regex(/^\S+$/, "must be a pattern without spaces")).min(1),
        channels: z.array(z.string().regex(/^\S+$/, "must be a pattern without spaces")).default([]),
        may: z.enum(["read", "write"]).default("write"),
        path: z.string(),
        key: z.string(),
      }),
    )
    .refine((users) => Object.keys(users).length > 0, "must have at least one user: nobody else may do anything")
    .default({
      apps: { keys: ["*"], channels: ["*"], may: "write", path: storePath("REDIS"), key: "REDIS_PASSWORD" },
    })
    .describe(
      "By name: patterns of the `keys` and `channels` that it reaches, whether it `may` read or write, and `path` and `key` of its password in secrets/. There is no default user",
    ),
});

export type ValkeyOptions = z.output<typeof valkeyOptions>;
