import { z } from "zod";
import { storePath } from "../../../common/vault-layout";
import { shortHostName, volumeSize } from "../option-types";

export const registryOptions = z.strictObject({
  storageClass: z.string().optional().describe("Class of its volume. Left out: the cluster's own"),
  size: volumeSize.default("10Gi").describe("Size of its volume"),
  host: shortHostName("registry").default("registry").describe("Host name without the domain"),
  path: z.string().default(storePath("REGISTRY")).describe("Entry of secrets/ with its users"),
  key: z.string().default("HTPASSWD").describe("Key of the users there, one a line as `htpasswd -nB` writes it"),
});

export type RegistryOptions = z.output<typeof registryOptions>;
