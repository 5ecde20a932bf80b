/** Rules for names in the files of a site. */
import { z } from "zod";
import { DNS_LABEL } from "../../common/dns-label";

export const name = (pattern: RegExp, what: string) => z.string().regex(pattern, `must be ${what}`);
export const hostName = name(
  new RegExp(`^${DNS_LABEL}(\\.${DNS_LABEL})*$`),
  "a host name: lower-case letters, digits and dashes, with dots between its parts of at most 63 characters",
);
export const objectName = name(/^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/, "a name of lower-case letters, digits and dashes that begins with a letter");

/** A host with a dot or a port, or localhost: Docker takes anything else for a folder of its own registry. */
const registry = "(?=[^/]*[.:]|localhost/)[a-z0-9]+((\\.|-+)[a-z0-9]+)*(:([1-9]\\d{0,3}|[1-5]\\d{4}|6[0-4]\\d{3}|65[0-4]\\d{2}|655[0-2]\\d|6553[0-5]))?";
const repository = "(\\/[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*)+";
const tag = ":[A-Za-z0-9_][A-Za-z0-9._-]{0,127}";

/** An exact image: `registry.example.org/library/app:1.0.0`, with a digest beside the tag or in its place. The grammar is Docker's. */
export const imageReference = z
  .string()
  .regex(
    new RegExp(`^(?=[^@]{1,255}(@|$))${registry}${repository}(${tag}|(${tag})?@sha256:[0-9a-f]{64})$`),
    "must be an image with its registry and a tag or digest, such as registry.example.org/library/app:1.0.0",
  )
  .refine((image) => !/:latest(@|$)/i.test(image), "must not be the tag latest: it names a different image every time");
