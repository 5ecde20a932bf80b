/** Certificate authorities that the child processes of a command trust, beside those of the system. */
import * as fs from "node:fs";
import * as path from "node:path";
import { readEnv } from "../../common/env";
import { writeFileAtomic } from "../../common/files";
import { projectRoot } from "../../common/paths";

/** The certificate of the homelab's own authority, where it has one; no secret. Written by `homelab init`. */
export const ownAuthority = (): string => path.join(projectRoot(), "site", "authority.pem");

/** One file with all certificates, since Node and Go take one file each. @returns the only file that was given, or `file` with all */
function together(file: string, certificates: readonly string[]): string | undefined {
  const [first, ...more] = certificates;
  if (more.length === 0) return first;
  const text = certificates.map((name) => fs.readFileSync(name, "utf8").trim()).join("\n");
  if (!fs.existsSync(file) || fs.readFileSync(file, "utf8") !== `${text}\n`) {
    fs.mkdirSync(path.dirname(file), { recursive: true });
    writeFileAtomic(file, `${text}\n`);
  }
  return file;
}

/**
 * In the real homelab: its own authority, with what this shell names already.
 * VAULT_CACERT is for the official plugin, which knows no NODE_EXTRA_CA_CERTS.
 */
export function realTrust(): Record<string, string> {
  const own = ownAuthority();
  if (!fs.existsSync(own)) return {};
  const former = readEnv("NODE_EXTRA_CA_CERTS");
  const all = together(path.join(projectRoot(), ".homelab", "trusted.pem"), [...(former === undefined ? [] : [former]), own]);
  return { ...(all === undefined ? {} : { NODE_EXTRA_CA_CERTS: all }), VAULT_CACERT: readEnv("VAULT_CACERT") ?? own };
}

/**
 * In the lab: the CA that stands for public authorities, and the authority that signs the homelab's own routes.
 * @param own certificate of the latter; left out where it is missing
 */
export function labTrust(dir: string, caFile: string, own: string): Record<string, string> {
  const all = together(path.join(dir, "trusted.pem"), [caFile, ...(fs.existsSync(own) ? [own] : [])]) ?? caFile;
  return { NODE_EXTRA_CA_CERTS: all, SSL_CERT_FILE: all };
}
