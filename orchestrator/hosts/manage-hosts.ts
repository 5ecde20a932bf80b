/** `hosts check|diff|apply|inventory`: what is on the hosts, what their roles make of them, and who they are. */
import * as fs from "node:fs";
import { HomelabError } from "../../common/errors";
import { type Arguments, oneOf } from "../cli/arguments";
import { EXIT, type ExitCode } from "../cli/exit-codes";
import { INVENTORY_FORMATS } from "../cli/flags";
import { askToGoOn, refuseUnasked } from "../cli/gate";
import type { Session } from "../cli/session";
import { askProgram } from "../target/ask-program";
import type { StackGraph } from "../target/graph";
import { listStacks } from "../target/program";
import { type Built, builtHosts } from "./built-hosts";
import { diffText, exitCodeOf, type HostResults, hostResultsSchema, resultsText } from "./host-results";
import { renderInventory, writeSshFiles } from "./ssh-files";

/** @throws HomelabError E_HOST_NOT_BUILT, E_HOST_OFF for a host that was named and cannot be looked at */
function chosen(wanted: readonly string[] | undefined, built: readonly Built[]): Built[] {
  if (wanted === undefined) return built.filter(({ host }) => host.running);
  return wanted.map((name) => {
    const found = built.find((host) => host.name === name);
    if (found === undefined)
      throw new HomelabError("E_HOST_NOT_BUILT", `the host ${name} is not built`, { subject: name, hint: "run `homelab up` for its stack" });
    if (!found.host.running) throw new HomelabError("E_HOST_OFF", `the host ${name} is defined as off`, { subject: name, hint: "its vm_state is stopped" });
    return found;
  });
}

/** The stacks of hosts that were named. @throws HomelabError E_USAGE for a host that does not exist */
function stacksOf(wanted: readonly string[], vms: ReadonlyMap<string, string>): string[] {
  const stacks = wanted.map((name) => {
    const stack = vms.get(name);
    if (stack === undefined)
      throw new HomelabError("E_USAGE", `there is no host ${name}`, { subject: name, hint: `the hosts are: ${[...vms.keys()].join(", ")}` });
    return stack;
  });
  return [...new Set(stacks)];
}

/** What the roles would change on the hosts of these stacks that are built and run. @param stacks none: all */
export async function checkHosts(args: Arguments, session: Session, graph: StackGraph, stacks: readonly string[]): Promise<HostResults> {
  const { built, site } = await builtHosts(args, session, graph, stacks);
  return hostResultsSchema.parse(await askProgram("run-roles", JSON.stringify({ mode: "check", hosts: chosen(undefined, built) }), site.env));
}

async function runRoles(action: "check" | "diff" | "apply", args: Arguments, session: Session): Promise<ExitCode> {
  const asks = action === "apply" && !args.flag("lab") && !args.flag("yes");
  if (asks) refuseUnasked(session, "homelab hosts apply changes hosts of the real homelab", args.flag("json"));
  const wanted = args.text("host")?.split(",");
  const { vms, graph, site: siteName } = await listStacks();
  const stacks = stacksOf(wanted ?? [], vms);
  // The question comes before any backend or host is asked. `hosts diff` shows beforehand what would change.
  if (asks && !(await askToGoOn(session, `Run the roles on ${wanted?.join(", ") ?? "every host"} of the homelab ${siteName}?`))) {
    session.out("nothing was changed\n");
    return EXIT.refused;
  }
  const { built, site } = await builtHosts(args, session, graph, stacks);
  const hosts = chosen(wanted, built);
  const notBuilt = wanted === undefined ? [...vms.keys()].filter((name) => !built.some((host) => host.name === name)) : [];
  const mode = action === "apply" ? "apply" : "check";
  const results = hostResultsSchema.parse(await askProgram("run-roles", JSON.stringify({ mode, hosts }), site.env));
  if (args.flag("json")) session.out(`${JSON.stringify({ ...results, notBuilt }, null, 2)}\n`);
  else session.out(action === "diff" ? diffText(results) : resultsText(results, mode, notBuilt, session.terminal.columns()));
  return exitCodeOf(results);
}

async function inventory(args: Arguments, session: Session): Promise<ExitCode> {
  const format = oneOf(args.text("format"), INVENTORY_FORMATS, "json", "--format");
  const { graph } = await listStacks();
  const { built, site } = await builtHosts(args, session, graph, []);
  const hosts = Object.fromEntries(built.map(({ name, host }) => [name, host]));
  if (format === "json") session.out(`${JSON.stringify({ version: 1, hosts }, null, 2)}\n`);
  else if (format === "ssh-config") session.out(fs.readFileSync(await writeSshFiles(site, hosts, true), "utf8"));
  else session.out(await renderInventory(format, { hosts }, site));
  return EXIT.done;
}

/** `hosts <verb>` */
export async function manageHosts(verb: string, args: Arguments, session: Session): Promise<ExitCode> {
  switch (verb) {
    case "check":
    case "diff":
    case "apply":
      return runRoles(verb, args, session);
    case "inventory":
      return inventory(args, session);
    default:
      throw new Error(`hosts has no verb ${verb}`);
  }
}
