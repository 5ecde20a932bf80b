/** Rules for names in the files of a site. */
import { z } from "zod";

export const name = (pattern: RegExp, what: string) => z.string().regex(pattern, `must be ${what}`);
/** A label of DNS, at most 63 characters. */
const label = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?";
export const hostName = name(
  new RegExp(`^${label}(\\.${label})*$`),
  "a host name: lower-case letters, digits and dashes, with dots between its parts of at most 63 characters",
);
export const objectName = name(/^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/, "a name of lower-case letters, digits and dashes that begins with a letter");

/** An exact image: `registry.example.org/library/app:1.0.0`, with a digest beside the tag or in its place. */
export const imageReference = z
  .string()
  .regex(
    /^[a-z0-9.-]+(:\d+)?(\/[a-z0-9._-]+)+(:[A-Za-z0-9._-]+|(:[A-Za-z0-9._-]+)?@sha256:[0-9a-f]{64})$/,
    "must be an image with its registry and a tag or digest, such as registry.example.org/library/app:1.0.0",
  )
  .refine((image) => !/:latest(@|$)/.test(image), "must not be the tag latest: it names a different image every time");
