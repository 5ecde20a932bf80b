/** Whom the children of a command trust, beside the authorities that everybody trusts. */
import * as fs from "node:fs";
import * as path from "node:path";
import { readEnv } from "../../common/env";
import { writeFileAtomic } from "../../common/files";
import { projectRoot } from "../../common/paths";

/** The certificate of the homelab's own authority, where it has one; no secret. Written by `homelab init`. */
export const ownAuthority = (): string => path.join(projectRoot(), "site", "authority.pem");

/** One file with all certificates: Node and Go take one each. @returns the only one that there is, or `file` with all */
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
 * In the lab: what stands for the world's authorities, and the authority that signs the lab's own routes.
 * @param own certificates of the latter; those that are not there are left out
 */
export function labTrust(dir: string, caFile: string, own: string): Record<string, string> {
  const all = together(path.join(dir, "trusted.pem"), [caFile, ...(fs.existsSync(own) ? [own] : [])]) ?? caFile;
  return { NODE_EXTRA_CA_CERTS: all, SSL_CERT_FILE: all };
}
