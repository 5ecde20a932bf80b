/** Files with which a stock `ssh` reaches the hosts: a configuration and the known hosts; in the lab the lab's key too. */

import * as fs from "node:fs";
import * as path from "node:path";
import { z } from "zod";
import { HomelabError } from "../../common/errors";
import { writeFileAtomic } from "../../common/files";
import { storePath } from "../../common/vault-layout";
import { loadSecrets } from "../../secrets/load";
import { askProgram } from "../target/ask-program";
import { secretsPlace } from "../target/lab-secrets";
import { besideRuns, type Site } from "../target/site";

const ENTRY = storePath("SSH_PRIVATE_KEY");
const KEY = "SSH_PRIVATE_KEY";

/** The homelab's own key for its hosts, decrypted in memory. @throws HomelabError where it cannot be */
export async function hostKeyOfSite(site: Site): Promise<string> {
  const secrets = await loadSecrets({ only: [ENTRY], ...secretsPlace(site.env) });
  const key = secrets.get(ENTRY)?.[KEY];
  if (key === undefined)
    throw new HomelabError("E_SSH_KEY", `${ENTRY} holds no ${KEY}`, { subject: ENTRY, hint: `set it: homelab secrets set ${ENTRY} ${KEY} < key` });
  return key.endsWith("\n") ? key : `${key}\n`;
}

/** An inventory or a file for ssh, rendered by the program. */
export async function renderInventory(format: string, request: object, site: Site): Promise<string> {
  return z.object({ text: z.string() }).parse(await askProgram("render-inventory", JSON.stringify({ format, ...request }), site.env)).text;
}

/**
 * @param withKey whether a key file is written and named too. This is done only in the lab, whose key protects nothing. The key of a real
 *   homelab is never on disk: ssh offers the operator's own key (site.ts says whose may log in), and `homelab ssh` the one of secrets/.
 * @returns the configuration file
 */
export async function writeSshFiles(site: Site, hosts: object, withKey: boolean): Promise<string> {
  const dir = besideRuns(site.runsDir, "ssh");
  fs.mkdirSync(dir, { recursive: true, mode: 0o700 });
  const knownHostsFile = path.join(dir, "known_hosts");
  writeFileAtomic(knownHostsFile, await renderInventory("known-hosts", { hosts }, site));
  const identityFile = withKey && site.kind === "lab" ? path.join(dir, "lab-only-key") : undefined;
  if (identityFile !== undefined) writeFileAtomic(identityFile, await hostKeyOfSite(site));
  const config = path.join(dir, "config");
  writeFileAtomic(config, await renderInventory("ssh-config", { hosts, knownHostsFile, ...(identityFile === undefined ? {} : { identityFile }) }, site));
  return config;
}
