import { z } from "zod";
import { storePath } from "../../../common/vault-layout";
import { shortHostName, volumeSize } from "../option-types";

const projectName = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,253}$/, "must be a project's name of a-z, 0-9, ., _ and -");

/** The registries that it can proxy, as its API names them, with their addresses. */
export const REMOTES = {
  "docker-hub": {
    kind: "docker-hub",
    url: "https://hub.docker.com",
    reaches: ["https://hub.docker.com", "https://registry-1.docker.io", "https://auth.docker.io"],
  },
  "github-ghcr": { kind: "github-ghcr", url: "https://ghcr.io", reaches: ["https://ghcr.io"] },
  quay: { kind: "quay", url: "https://quay.io", reaches: ["https://quay.io"] },
  kubernetes: { kind: "docker-registry", url: "https://registry.k8s.io", reaches: ["https://registry.k8s.io"] },
} as const;
export type Remote = keyof typeof REMOTES;

const project = z.strictObject({
  public: z.boolean().default(false),
  keep: z.int().min(1).optional(),
  limit: volumeSize.optional(),
  proxyOf: z.enum(Object.keys(REMOTES) as [Remote, ...Remote[]]).optional(),
});

const options = z.strictObject({
  host: shortHostName("registry").default("registry").describe("Host name without the domain"),
  storageClass: z.string().optional().describe("Class of its volumes. Left out: the cluster's own"),
  size: volumeSize.default("50Gi").describe("Size of the volume with the images"),
  scan: z
    .boolean()
    .default(true)
    .describe("Whether images are scanned for known vulnerabilities, by Trivy, which fetches its database of them from the internet"),
  projects: z
    .record(projectName, project)
    .default({
      library: { public: true, keep: 20 },
      "docker-hub": { public: true, proxyOf: "docker-hub", limit: "10Gi" },
      ghcr: { public: true, proxyOf: "github-ghcr", limit: "10Gi" },
    })
    .describe(
      "By name: whether everybody may pull (`public`), how many of the last pushed images of each repository are kept (`keep`; left out: all), how much it may hold (`limit`), and the registry of which it keeps copies of what is pulled through it (`proxyOf`: docker-hub, github-ghcr, quay, kubernetes)",
    ),
  robots: z
    .record(
      z.string().regex(/^[a-z0-9][a-z0-9_.-]*$/, "must be a name of a-z, 0-9, _, . and -"),
      z.strictObject({ projects: z.record(projectName, z.enum(["pull", "push"])), path: z.string(), key: z.string() }),
    )
    .default({ pipelines: { projects: { library: "push" }, path: storePath("HARBOR_KEY"), key: "HARBOR_KEY" } })
    .describe(
      "Accounts of programs, by name; they log in as `robot$<name>`. Which `projects` each may `pull` from, or `push` to as well, and `path` and `key` of its secret in secrets/",
    ),
  database: z
    .string()
    .regex(/^(?!pg_|postgres$|template[01]$)[a-z_][a-z0-9_]{0,62}$/, "must be of a-z, 0-9 and _, and no name that Postgres keeps")
    .default("registry")
    .describe("Its database in the servers of the module postgres, of a role of the same name"),
  path: z.string().default(storePath("HARBOR")).describe("Entry of secrets/ with the credentials of its parts (`homelab secrets generate harbor`)"),
  first: z
    .string()
    .default(storePath("HARBOR_FIRST"))
    .describe("Entry of secrets/ with what it takes at its first start alone (`homelab secrets generate harbor-first`)"),
});

/** Complaints about robots that name a project that `projects` does not define. */
const unmade = ({ projects, robots }: z.output<typeof options>): string[] =>
  Object.entries(robots).flatMap(([robot, { projects: own }]) =>
    Object.keys(own)
      .filter((name) => projects[name] === undefined)
      .map((name) => `${robot} reaches the project ${name}, which is not among those that are made`),
  );

/** Complaints about robots that push to a proxy project: Harbor does not allow that. */
const pushed = ({ projects, robots }: z.output<typeof options>): string[] =>
  Object.entries(robots).flatMap(([robot, { projects: own }]) =>
    Object.entries(own)
      .filter(([name, may]) => may === "push" && projects[name]?.proxyOf !== undefined)
      .map(([name]) => `${robot} pushes to the project ${name}, which holds copies of another registry`),
  );

export const harborOptions = options.superRefine((given, context) => {
  for (const message of [...unmade(given), ...pushed(given)]) context.addIssue({ code: "custom", path: ["robots"], message });
});

export type HarborOptions = z.output<typeof harborOptions>;

/** Keys of the entry for its first start: the password of its user admin, and the key that encrypts values in its database. */
export const FIRST_KEYS = { admin: "HARBOR_ADMIN_PASSWORD", secretKey: "HARBOR_SECRET_KEY" } as const;

/** Keys of the entry for its parts. */
export const KEYS = {
  core: "HARBOR_CORE_SECRET",
  xsrf: "HARBOR_XSRF_KEY",
  jobservice: "HARBOR_JOBSERVICE_SECRET",
  registry: "HARBOR_REGISTRY_SECRET",
  registryPassword: "HARBOR_REGISTRY_PASSWORD",
  registryHtpasswd: "HARBOR_REGISTRY_HTPASSWD",
  database: "HARBOR_DB_PASSWORD",
  valkey: "HARBOR_VALKEY_PASSWORD",
} as const;

/** Every value in its Secrets, by entry and key of secrets/. */
export const ownSecrets = ({ path, first }: Pick<HarborOptions, "path" | "first">): { path: string; key: string }[] => [
  ...Object.values(FIRST_KEYS).map((key) => ({ path: first, key })),
  ...Object.values(KEYS).map((key) => ({ path, key })),
];
