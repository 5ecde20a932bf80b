/** `hosts check|diff|apply|inventory`: what is on the hosts, what their roles make of them, and who they are. */
import { z } from "zod";
import { HomelabError } from "../../common/errors";
import { inPool } from "../../common/pool";
import { type Arguments, oneOf, positive } from "../arguments";
import { chooseEngine, engineRunner } from "../engine";
import { EXIT, type ExitCode } from "../exit-codes";
import type { StackGraph } from "../graph";
import { diffText, exitCodeOf, hostResultsSchema, resultsText } from "../host-results";
import { askProgram, describeProgram } from "../program";
import { registerSecrets } from "../redaction";
import type { Session } from "../session";
import { openSite } from "../site";
import { QUERY_OPTIONS } from "./query-stacks";

export const HOSTS_OPTIONS = { ...QUERY_OPTIONS, host: { type: "string" }, format: { type: "string" } } as const;

const ACTIONS = ["check", "diff", "apply", "inventory"] as const;

const hostsSchema = z.record(z.string(), z.object({ running: z.boolean() }).loose());

interface Built {
  name: string;
  stack: string;
  host: z.infer<typeof hostsSchema>[string];
}

const listSchema = z.array(z.looseObject({ name: z.string() }));
const outputsSchema = z.looseObject({ hosts: hostsSchema.default({}) });

/**
 * The hosts of stacks that are up, from their outputs, and the environment in which they are reached. The engine's own commands
 * are asked, one for the list and one for each stack, at the same time: hosts are no secret, so nothing is decrypted.
 * @param stacks none: all
 */
async function builtHosts(
  args: Arguments,
  session: Session,
  graph: StackGraph,
  stacks: readonly string[],
): Promise<{ built: Built[]; env: Record<string, string> }> {
  const site = await openSite(args.flag("lab"));
  const engine = chooseEngine(oneOf(args.text("engine"), ["auto", "pulumi", "embedded"], "auto", "--engine"));
  const run = engineRunner(engine.root, site.workDir);
  const registered = registerSecrets(session, site.env, graph.names());
  const existing = new Set(listSchema.parse(JSON.parse(await run(["stack", "ls", "--json"], site.env))).map(({ name }) => name));
  const wanted = graph.names().filter((stack) => (stacks.length === 0 || stacks.includes(stack)) && existing.has(stack));
  const [built] = await Promise.all([
    inPool(wanted, positive(args.text("concurrency"), 3, "--concurrency"), async (stack) => {
      const { hosts } = outputsSchema.parse(JSON.parse(await run(["stack", "output", "--json", "--stack", stack], site.env)));
      return Object.entries(hosts).map(([name, host]): Built => ({ name, stack, host }));
    }),
    registered,
  ]);
  return { built: built.flat(), env: site.env };
}

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

/** The stacks of hosts that were named. @throws HomelabError E_USAGE for a host that there is not */
function stacksOf(wanted: readonly string[], vms: ReadonlyMap<string, string>): string[] {
  const stacks = wanted.map((name) => {
    const stack = vms.get(name);
    if (stack === undefined)
      throw new HomelabError("E_USAGE", `there is no host ${name}`, { subject: name, hint: `the hosts are: ${[...vms.keys()].join(", ")}` });
    return stack;
  });
  return [...new Set(stacks)];
}

async function runRoles(action: "check" | "diff" | "apply", args: Arguments, session: Session): Promise<ExitCode> {
  const wanted = args.text("host")?.split(",");
  const { vms, graph } = await describeProgram();
  const { built, env } = await builtHosts(args, session, graph, stacksOf(wanted ?? [], vms));
  const hosts = chosen(wanted, built);
  const notBuilt = wanted === undefined ? [...vms.keys()].filter((name) => !built.some((host) => host.name === name)) : [];
  const mode = action === "apply" ? "apply" : "check";
  const results = hostResultsSchema.parse(await askProgram("run-roles", JSON.stringify({ mode, hosts }), env));
  if (args.flag("json")) session.out(`${JSON.stringify({ ...results, notBuilt }, null, 2)}\n`);
  else session.out(action === "diff" ? diffText(results) : resultsText(results, mode, notBuilt));
  return exitCodeOf(results);
}

async function inventory(args: Arguments, session: Session): Promise<ExitCode> {
  const format = oneOf(args.text("format"), ["json", "ini", "ssh-config", "known-hosts"], "json", "--format");
  const { graph } = await describeProgram();
  const { built, env } = await builtHosts(args, session, graph, []);
  const hosts = Object.fromEntries(built.map(({ name, host }) => [name, host]));
  if (format === "json") session.out(`${JSON.stringify({ version: 1, hosts }, null, 2)}\n`);
  else session.out(z.object({ text: z.string() }).parse(await askProgram("render-inventory", JSON.stringify({ format, hosts }), env)).text);
  return EXIT.done;
}

export async function manageHosts(args: Arguments, session: Session): Promise<ExitCode> {
  const [action, ...more] = args.words;
  const known = ACTIONS.find((candidate) => candidate === action);
  if (known === undefined || more.length > 0) throw new HomelabError("E_USAGE", `hosts takes one of: ${ACTIONS.join(", ")}`);
  return known === "inventory" ? inventory(args, session) : runRoles(known, args, session);
}
