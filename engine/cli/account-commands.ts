/** `whoami`, `login`, `logout` and `about`. */
import * as os from "node:os";
import { ENGINE_VERSION } from "../../common/engine-version";
import { Backend } from "../backend/backend";
import { backendUrl } from "../backend/open-bucket";
import { EXIT_CODE, unsupported } from "../errors";
import { findProjectFile, loadProject } from "../workspace/project";
import { currentLogin, saveLogin, selectedStack } from "../workspace/pulumi-home";
import type { Flags } from "./flags";
import { optionalProject, workDir } from "./stack-context";
import { print, table } from "./terminal";

export function whoami(flags: Flags): number {
  const url = backendUrl(optionalProject(flags)?.backendUrl);
  const user = os.userInfo().username;
  if (flags.json) print(JSON.stringify({ user, url }, null, 2));
  else print(flags.has("verbose") ? `User: ${user}\nOrganizations: \nBackend URL: ${url}\nToken type: personal` : user);
  return EXIT_CODE.ok;
}

export async function login(flags: Flags): Promise<number> {
  const url = flags.has("local") ? "file://~" : flags.words[0];
  if (url === undefined) throw unsupported("the login to Pulumi Cloud");
  // Opening it tells whether it can be used.
  await Backend.open(url, findProjectFile(workDir(flags)) === undefined ? workDir(flags) : loadProject(workDir(flags)).root);
  saveLogin(url);
  print(`Logged in to ${os.hostname()} as ${os.userInfo().username} (${url})`);
  return EXIT_CODE.ok;
}

export function logout(flags: Flags): number {
  const url = flags.has("all") ? undefined : (flags.words[0] ?? backendUrl(optionalProject(flags)?.backendUrl));
  if (url === undefined || url === currentLogin()) saveLogin(undefined);
  print(`Logged out of ${url ?? "everything"}`);
  return EXIT_CODE.ok;
}

/** Facts for a bug report; nothing secret. */
export function about(flags: Flags): number {
  const project = optionalProject(flags);
  const url = project === undefined ? undefined : backendUrl(project.backendUrl);
  const facts = {
    cliAbout: { version: ENGINE_VERSION.slice(1), engine: "embedded engine of homelab", nodeVersion: process.version },
    host: { os: os.platform(), version: os.release(), arch: os.arch() },
    ...(project === undefined || url === undefined
      ? {}
      : { backend: { name: os.hostname(), url, user: os.userInfo().username }, currentStack: { name: selectedStack(project, url) ?? null } }),
    runtime: project?.runtime ?? null,
  };
  if (flags.json) print(JSON.stringify(facts, null, 2));
  else {
    for (const [section, values] of Object.entries(facts)) {
      const rows = typeof values === "object" && values !== null ? Object.entries(values) : [[section, values]];
      print(
        `${section}\n${table(
          rows.map(([name, value]) => [String(name), String(value)]),
          "    ",
        )}\n`,
      );
    }
  }
  return EXIT_CODE.ok;
}
