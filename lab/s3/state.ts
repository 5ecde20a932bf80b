import { z } from "zod";

const objectSchema = z.object({
  /** Base64. */
  body: z.string(),
  size: z.number(),
  etag: z.string(),
  modified: z.string(),
  /** Content type, metadata and the like, as they were sent. */
  headers: z.record(z.string(), z.string()),
});
const bucketSchema = z.object({ created: z.string(), objects: z.record(z.string(), objectSchema), versioning: z.literal(true).optional() });

/** Everything that is not allowed is denied. */
const userSchema = z.object({ secretKey: z.string(), statements: z.array(z.object({ actions: z.array(z.string()), resources: z.array(z.string()) })) });

export const s3StateSchema = z.object({ buckets: z.record(z.string(), bucketSchema), users: z.record(z.string(), userSchema).optional() });

export type S3State = z.infer<typeof s3StateSchema>;
export type User = z.infer<typeof userSchema>;
export type Bucket = z.infer<typeof bucketSchema>;
export type StoredObject = z.infer<typeof objectSchema>;
