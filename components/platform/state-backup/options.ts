import { z } from "zod";
import { exactImage } from "../../../common/exact-image";
import { storePath } from "../../../common/vault-layout";
import { httpsAddress, schedule, serverName } from "../option-types";

const bucket = z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, "must be a bucket's name: 3 to 63 of a-z, 0-9, . and -");
/** Part of names of files and of variables. */
const name = z.string().regex(/^[a-z][a-z0-9_]{0,30}$/, "must be of a-z, 0-9 and _, and begin with a letter");
const USERS = storePath("MINIO_USERS");

/** A value of secrets/. */
const value = z.strictObject({ path: z.string(), key: z.string() });

/** An S3 object storage from which it reads or to which it writes, with a user there. */
const storage = z.strictObject({
  endpoint: httpsAddress.optional(),
  region: z
    .string()
    .regex(/^[A-Za-z0-9-]+$/, "must be a region of a-z, 0-9 and -")
    .default("us-east-1"),
  bucket,
  /** Folder in the bucket. Left out: the whole bucket. */
  folder: z
    .string()
    .regex(/^[\w.-]+(\/[\w.-]+)*$/, "must be a path without / at its ends")
    .optional(),
  /** Access key: its name, or where it is in secrets/. */
  user: z.union([z.string().min(1), value]),
  secretKey: value,
});
export type Storage = z.output<typeof storage>;

/** Whether two of them are the same. */
const hasOneTwice = (places: readonly Storage[]): boolean =>
  new Set(places.map(({ endpoint = "", bucket: name, folder = "" }) => [endpoint, name, folder].join("\n"))).size < places.length;

const STATES = { bucket: "pulumi-state", user: "state-reader", secretKey: { path: USERS, key: "state-reader" } };
const HERE = { bucket: "backups", user: "state-backup", secretKey: { path: USERS, key: "state-backup" } };

export const stateBackupOptions = z.strictObject({
  image: exactImage
    .optional()
    .describe("With bash, age, rclone and pg_dump, as `images/state-backup` makes it. Left out: `registry.<domain>/library/state-backup:1`"),
  schedule: schedule(5, "0 2 * * *").default("0 2 * * *").describe("When, in UTC: five fields"),
  recipients: z
    .array(z.string().regex(/^age1[02-9ac-hj-np-z]{58}$/, "must be a public key of age (age1…)"))
    .min(1)
    .optional()
    .describe("Public keys of age: each opens every backup by its private half, which is not in the cluster. Left out: those of `.sops.yaml`"),
  states: storage
    .prefault(STATES)
    .describe(
      "The bucket of `PULUMI_BACKEND_URL`: `endpoint` (left out: `https://s3.<domain>`), `region`, `bucket`, `folder` in it, and the `user` that may read there, with the `path` and `key` in secrets/ of its `secretKey`",
    ),
  databases: z
    .record(
      name,
      z.strictObject({
        host: serverName,
        /** Namespace of the servers, where they are in this cluster. */
        namespace: z.string().optional(),
        database: z.string().min(1),
        user: z.string().min(1),
        password: value,
      }),
    )
    .default({})
    .describe(
      "Databases of Postgres that are dumped, by the name of their file: `host`, the `namespace` of the servers where they are in this cluster, `database`, `user`, and `path` and `key` in secrets/ of its `password`",
    ),
  places: z
    .record(name, storage)
    .refine((places) => places["states"] === undefined, "has a place called states, which is the name of what is read")
    .refine((places) => Object.keys(places).length >= 2, "must have two places at least: a single one could be lost with the homelab")
    .refine((places) => !hasOneTwice(Object.values(places)), "has one bucket and folder twice: that is one place")
    .describe(
      `Where each backup goes, by name, each as \`states\` is: two places at least. That of the homelab itself: \`{ bucket: "${HERE.bucket}", user: "${HERE.user}", secretKey: … }\`; another one has its \`endpoint\` and \`region\`, and its \`user\` may be a \`path\` and \`key\` in secrets/ too`,
    ),
  keepDays: z.int().min(2).max(3650).default(30).describe("After how many days a backup is deleted at its places"),
});

export type StateBackupOptions = z.output<typeof stateBackupOptions>;
