import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { CONTROL_SOCKETS, type RealHost, type RealHosts } from "./real-hosts";

export interface AnsibleRun {
  exitCode: number;
  output: string;
  /** Host → counts of its tasks. */
  recap: Record<string, { ok: number; changed: number; failed: number }>;
}

/** Ansible's fastest settings: pipelining, one kept connection for each host, cached facts, all hosts at once. */
function settings(folder: string): Record<string, string> {
  return {
    ANSIBLE_PIPELINING: "True",
    ANSIBLE_FORKS: "20",
    ANSIBLE_GATHERING: "smart",
    ANSIBLE_CACHE_PLUGIN: "jsonfile",
    ANSIBLE_CACHE_PLUGIN_CONNECTION: path.join(folder, "facts"),
    ANSIBLE_SSH_ARGS: `-C -o ControlMaster=auto -o ControlPersist=600s -o UserKnownHostsFile=${path.join(folder, "known_hosts")}`,
    ANSIBLE_SSH_CONTROL_PATH_DIR: path.join(folder, CONTROL_SOCKETS),
    ANSIBLE_NOCOLOR: "1",
    ANSIBLE_HOME: path.join(folder, "ansible"),
    ANSIBLE_LOCALHOST_WARNING: "False",
    ANSIBLE_LOCAL_TEMP: path.join(folder, "ansible-tmp"),
  };
}

/** @param program the part "ansible" */
export async function runAnsible(program: string, { folder }: RealHosts, hosts: readonly RealHost[], playbook: string): Promise<AnsibleRun> {
  const inventory = path.join(folder, "inventory.ini");
  const lines = hosts.map(
    (host) =>
      `${host.name} ansible_host=${host.address} ansible_user=${host.user} ansible_ssh_private_key_file=${host.keyFile} ansible_python_interpreter=/usr/bin/python3`,
  );
  fs.writeFileSync(inventory, `${lines.join("\n")}\n`);
  const env = { PATH: process.env["PATH"], HOME: folder, LANG: "C.UTF-8", ...settings(folder) };
  const child = spawn(program, ["-i", inventory, playbook], { env, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const exitCode = await new Promise<number>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve(code ?? -1));
  });
  const recap: AnsibleRun["recap"] = {};
  for (const match of output.matchAll(/^(\S+)\s+: ok=(\d+)\s+changed=(\d+)\s+unreachable=\d+\s+failed=(\d+)/gm)) {
    recap[match[1] ?? ""] = { ok: Number(match[2]), changed: Number(match[3]), failed: Number(match[4]) };
  }
  return { exitCode, output, recap };
}
