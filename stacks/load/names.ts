/** Rules for names in the files of a site. */
import { z } from "zod";
import { DNS_LABEL } from "../../common/dns-label";

export const name = (pattern: RegExp, what: string) => z.string().regex(pattern, `must be ${what}`);
export const hostName = name(
  new RegExp(`^${DNS_LABEL}(\\.${DNS_LABEL})*$`),
  "a host name: lower-case letters, digits and dashes, with dots between its parts of at most 63 characters",
);
export const objectName = name(/^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/, "a name of lower-case letters, digits and dashes that begins with a letter");
