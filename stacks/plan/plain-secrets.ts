/** Finds values that look like a secret in places that everybody can read. Pure. */
import { findDefaultCredentials } from "../../components/platform/default-credentials";

const NAMES = /(^|_)(PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|CREDENTIALS?)(_|$)/i;
/** Names with these endings describe a secret, but are not one. */
const ABOUT = /_(FILE|PATH|NAME|URL|TTL|EXPIRY|EXPIRES|LIFETIME|SECONDS|MINUTES|LENGTH|ENABLED|TYPE|HEADER|ISSUER|AUDIENCE)$/i;

const FORMS: readonly (readonly [pattern: RegExp, what: string])[] = [
  [/-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----/, "a private key"],
  [/\b[a-z][a-z0-9+.-]*:\/\/[^\s/:@]*:[^\s/@]+@/i, "a URL with a password"],
  [/\bAGE-SECRET-KEY-1[0-9A-Z]+/, "a key of age"],
  [/\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]+/, "a token (JWT)"],
  [/\b(AKIA|ASIA)[0-9A-Z]{16}\b/, "a key of AWS"],
  [/\bgh[pousr]_[A-Za-z0-9]{36}/, "a token of GitHub"],
  [/\bglpat-[\w-]{20}/, "a token of GitLab"],
  [/\bhv[sb]\.[\w-]{20,}/, "a token of Vault"],
];

/** What kind of secret a value seems to be; undefined where it seems to be none. @param name of the variable or the file */
export function secretIn(name: string, value: unknown): string | undefined {
  if (typeof value !== "string" || value === "") return undefined;
  const form = FORMS.find(([pattern]) => pattern.test(value))?.[1];
  if (form !== undefined) return form;
  const [known] = findDefaultCredentials({ [name]: value });
  if (known !== undefined) return `the default credential of ${known.of}`;
  return NAMES.test(name) && !ABOUT.test(name) ? "a value that is named like a secret" : undefined;
}
