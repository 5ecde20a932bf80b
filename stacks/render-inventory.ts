/**
 * `node bin/stacks/render-inventory.js`: hosts of several stacks in a form that other tools read. Takes JSON on standard input,
 * prints {"text": …}. The orchestrator's child. Loads no Pulumi SDK. Errors as in describe.ts.
 */
import * as path from "node:path";
import { z } from "zod";
import { ENV, readEnv } from "../common/env";
import { runChild } from "./child";
import { bastionFromEnvironment } from "./load/bastion";
import { hostSchema, renderIni, renderKnownHosts, renderSshConfig, type SshAccess } from "./outputs/inventory";

const requestSchema = z.strictObject({
  format: z.enum(["ini", "ssh-config", "known-hosts"]),
  hosts: z.record(z.string(), hostSchema),
  identityFile: z.string().optional(),
  knownHostsFile: z.string().default("known_hosts"),
});

function bastion(): SshAccess["bastion"] {
  const found = bastionFromEnvironment();
  if (found === undefined) return undefined;
  const { host, port, user, hostKey } = found;
  return { host, port, user, keyFile: path.resolve(readEnv(ENV.bastionKeyFile) ?? ""), ...(hostKey === undefined ? {} : { hostKey: hostKey.trim() }) };
}

async function render(input: string): Promise<object> {
  const { format, hosts, identityFile, knownHostsFile } = requestSchema.parse(JSON.parse(input));
  if (format === "ini") return { text: renderIni(hosts) };
  const jump = bastion();
  if (format === "known-hosts") return { text: renderKnownHosts(hosts, jump) };
  const access = { knownHostsFile, ...(jump === undefined ? {} : { bastion: jump }), ...(identityFile === undefined ? {} : { identityFile }) };
  return { text: renderSshConfig(hosts, access) };
}

if (require.main === module) runChild(render);
