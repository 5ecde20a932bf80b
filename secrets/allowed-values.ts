/** Values that a program takes as they are into a text of its own. What would end that text, or mean something in it, is refused here by name. */
import { z } from "zod";
import { HomelabError } from "../common/errors";
import { storePath } from "../common/vault-layout";
import { PLACEHOLDER } from "./placeholder";
import type { SecretEntry } from "./vault-paths";

interface Rule {
  entry: string;
  key: string;
  allowed: z.ZodType;
  says: string;
}

const RULES: readonly Rule[] = [
  {
    entry: storePath("EXTERNAL_DNS_PIHOLE_PASSWORD"),
    key: "PIHOLE_PASSWORD",
    // external-dns puts it into JSON, and the unit of Pi-hole reads it from a line of a file.
    allowed: z.string().regex(/^[^"\\\s\p{Cc}]([^"\\\p{Cc}]*[^"\\\s\p{Cc}])?$/u),
    says: 'one line without ", without \\ and without blanks at its ends',
  },
  {
    entry: "cloudflare",
    key: "api-token",
    // It is a header of each request, and a line of certbot's file.
    allowed: z.string().regex(/^[\x21-\x7e]+$/),
    says: "ASCII characters without blanks",
  },
];

/**
 * @param label of the entry's file; left out: that of its place in secrets/common
 * @throws HomelabError E_SECRET_VALUE; it does not hold the value
 */
export function checkValues(entry: string, values: SecretEntry, label = `secrets/common/${entry}.yaml`): void {
  for (const rule of RULES) {
    const value = values[rule.key];
    // A value that nobody has filled in yet is refused where it would be used.
    if (rule.entry !== entry || value === undefined || value === PLACEHOLDER || rule.allowed.safeParse(value).success) continue;
    throw new HomelabError("E_SECRET_VALUE", `${rule.key} of ${label} is not what its readers can take: it must be ${rule.says}`, {
      subject: label,
      hint: `homelab secrets set ${entry} ${rule.key}`,
    });
  }
}
