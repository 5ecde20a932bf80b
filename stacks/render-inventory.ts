/**
 * `node bin/stacks/render-inventory.js`: hosts of several stacks in a form that other tools read. Takes JSON on standard input,
 * prints {"text": …}. The orchestrator's child. Loads no Pulumi SDK. Errors as in describe.ts.
 */
import { z } from "zod";
import { bastionFromEnvironment } from "./bastion";
import { runChild } from "./child";
import { hostSchema, renderIni, renderKnownHosts, renderSshConfig } from "./inventory/render";

const requestSchema = z.strictObject({ format: z.enum(["ini", "ssh-config", "known-hosts"]), hosts: z.record(z.string(), hostSchema) });

function jump(): string | undefined {
  const bastion = bastionFromEnvironment();
  return bastion && `${bastion.user}@${bastion.host}:${bastion.port}`;
}

async function render(input: string): Promise<object> {
  const { format, hosts } = requestSchema.parse(JSON.parse(input));
  if (format === "ini") return { text: renderIni(hosts) };
  return { text: format === "known-hosts" ? renderKnownHosts(hosts) : renderSshConfig(hosts, jump()) };
}

if (require.main === module) runChild(render);
