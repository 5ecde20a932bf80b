import { z } from "zod";
import { storePath } from "../../../common/vault-layout";
import { nameAndPort } from "../option-types";

const name = z.string().regex(/^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/, "must be of lower-case letters, digits and dashes, and begin with a letter");
const port = z.int().min(1).max(65_535);
const service = {
  namespace: name.describe("Where it runs"),
  service: name,
  port,
  /** Port of the pods, where it differs from the Service's. */
  targetPort: port.optional(),
};

export const teleportAgentOptions = z
  .strictObject({
    proxy: nameAndPort("teleport.example.org:3080").optional().describe("Address of Teleport's proxy as `host:port`. Left out: `teleport.<domain>:3080`"),
    apps: z
      .record(name, z.strictObject({ ...service, protocol: z.enum(["http", "https"]).default("http") }))
      .default({})
      .describe(
        "By the name that Teleport shows: `namespace`, `service` and `port` of pages in this cluster, and `targetPort` where its pods listen on another one",
      ),
    databases: z
      .record(name, z.strictObject({ ...service, protocol: z.enum(["postgres", "mysql", "mongodb", "redis"]) }))
      .default({})
      .describe("By the name that Teleport shows: the same, with the `protocol` of a database"),
    path: z.string().default(storePath("TELEPORT_AGENT")).describe("Entry of secrets/ with the token by which it joins"),
    key: z.string().default("JOIN_TOKEN").describe("Key of that token"),
  })
  .describe("What Teleport reaches in the cluster");

export type TeleportAgentOptions = z.output<typeof teleportAgentOptions>;
