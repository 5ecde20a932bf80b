/** `ssh`: a session on a host, with the homelab's own key, which an agent of this session holds in memory. */
import type { ChildProcess } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { spawn } from "../../common/children";
import { childEnv } from "../../common/env";
import { HomelabError } from "../../common/errors";
import type { Arguments } from "../cli/arguments";
import type { Session } from "../cli/session";
import { listStacks } from "../target/program";
import { builtHosts } from "./built-hosts";
import { hostKeyOfSite, writeSshFiles } from "./ssh-files";
import { missingSshTools } from "./ssh-tools";

/** Milliseconds until an agent must have its socket. */
const AGENT_TIME = 10_000;

const ended = (child: ChildProcess): Promise<number> =>
  new Promise((resolve, reject) =>
    child.once("error", reject).once("close", (code, signal) => resolve(code ?? (signal === null ? 1 : 128 + (os.constants.signals[signal] ?? 0)))),
  );

/** An agent that lives as long as the session. @param socket its path */
async function startAgent(socket: string): Promise<ChildProcess> {
  const agent = spawn("ssh-agent", ["-D", "-a", socket], { stdio: "ignore" });
  const gone = ended(agent);
  const deadline = Date.now() + AGENT_TIME;
  while (!fs.existsSync(socket)) {
    const code = await Promise.race([gone, new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), 20))]);
    if (code !== undefined || Date.now() > deadline)
      throw new HomelabError("E_SSH_AGENT", `ssh-agent did not start (${code ?? "no socket"})`, { subject: socket });
  }
  return agent;
}

async function addKey(socket: string, key: string): Promise<void> {
  const add = spawn("ssh-add", ["-q", "-"], { env: childEnv({ SSH_AUTH_SOCK: socket }), stdio: ["pipe", "ignore", "pipe"] });
  let said = "";
  add.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    said += chunk;
  });
  add.stdin.on("error", () => undefined);
  add.stdin.end(key);
  if ((await ended(add)) !== 0) throw new HomelabError("E_SSH_AGENT", `ssh-add refused the homelab's key: ${said.trim()}`);
}

/** @returns ssh's exit code: that of the command, or 255 */
export async function openShell(args: Arguments, session: Session): Promise<number> {
  const [name = "", ...command] = args.words;
  const missing = missingSshTools();
  if (missing.length > 0) throw new HomelabError("E_SSH_MISSING", `${missing.join(", ")} cannot be found on PATH`, { hint: "install OpenSSH's client" });
  const { vms, graph } = await listStacks();
  const stack = vms.get(name);
  if (stack === undefined)
    throw new HomelabError("E_USAGE", `there is no host ${name}`, { subject: name, hint: `the hosts are: ${[...vms.keys()].join(", ")}` });
  const { built, site } = await builtHosts(args, session, graph, [stack]);
  const found = built.find((host) => host.name === name);
  if (found === undefined) throw new HomelabError("E_HOST_NOT_BUILT", `the host ${name} is not built`, { subject: name, hint: `run \`homelab up ${stack}\`` });
  if (!found.host.running) throw new HomelabError("E_HOST_OFF", `the host ${name} is defined as off`, { subject: name, hint: "its vm_state is stopped" });
  const config = await writeSshFiles(site, Object.fromEntries(built.map((host) => [host.name, host.host])), false);
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-ssh-"));
  const socket = path.join(dir, "agent");
  const agent = await startAgent(socket);
  // Ctrl-C in the terminal is for ssh, which ends by itself.
  const stop = session.onInterrupt(() => undefined);
  try {
    await addKey(socket, await hostKeyOfSite(site));
    return await ended(spawn("ssh", ["-F", config, "-o", `IdentityAgent=${socket}`, name, ...command], { stdio: "inherit" }));
  } finally {
    stop();
    agent.kill();
    fs.rmSync(dir, { recursive: true, force: true });
  }
}
