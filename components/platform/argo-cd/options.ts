import { z } from "zod";
import { storePath } from "../../../common/vault-layout";
import { shortHostName } from "../option-types";

const ENTRY = storePath("ARGOCD");
/** Password of the user `admin`, as bcrypt. */
export const ADMIN_PASSWORD = { path: ENTRY, key: "ADMIN_PASSWORD_BCRYPT" } as const;
/** Signs sessions. Without it Argo CD would generate one, and another one in each rebuilt cluster. */
export const SERVER_KEY = { path: ENTRY, key: "ARGOCD_SERVER_SECRET_KEY" } as const;
/** Password of the cache, which only Argo CD reaches. */
export const REDIS_PASSWORD = { path: ENTRY, key: "ARGOCD_REDIS_PASSWORD" } as const;

const login = z.strictObject({
  username: z.string().min(1),
  /** Entry and key of secrets/ that has the password: a token that may only read. */
  path: z.string().min(1),
  key: z.string().min(1),
});

export const applicationsOptions = z.strictObject({
  repository: z.url({ protocol: /^https$/, error: "must be an https URL" }),
  revision: z.string().min(1).default("main"),
  path: z
    .string()
    .regex(/^[a-z0-9-]+(\/[a-z0-9-]+)*$/, "must be a folder of the repository, such as gitops")
    .default("gitops"),
  login: login.optional(),
});

export const argoCdOptions = z.strictObject({
  version: z
    .enum(["10.1.1", "7.7.12"])
    .default("10.1.1")
    .describe("Version of the chart. 7.7.12 is Argo CD v2.13.2 as in the original system, which gets no fixes any more"),
  host: shortHostName("dev.argocd").optional().describe("Host name without the domain. Left out: `<environment>.argocd`"),
  admin: z
    .boolean()
    .default(true)
    .describe("Whether the user `admin` may log in, with the password of secrets/. Without: nobody may, until an identity provider is set up"),
  applications: applicationsOptions
    .optional()
    .describe(
      "Where the applications lie whose `delivery` is `argo-cd`: the `repository` with what `homelab render` writes, its `revision` (main) and the folder in it, `path` (gitops); `login` of one that is not public: a `username`, and the `path` and `key` of secrets/ with its password, a token that may only read. In production they are synced by hand. Left out: it delivers none",
    ),
  exec: z.boolean().default(false).describe("Whether the UI opens shells in pods, for those whom a project's roles allow it"),
});

export type ArgoCdOptions = z.output<typeof argoCdOptions>;
