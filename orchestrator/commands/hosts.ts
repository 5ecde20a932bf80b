/** `hosts check|diff|inventory`: what is on the hosts, and who they are. Changes nothing. */
import { z } from "zod";
import { HomelabError } from "../../common/errors";
import { type Arguments, oneOf } from "../arguments";
import { EXIT, type ExitCode } from "../exit-codes";
import { checkText, diffText, exitCodeOf, hostChecksSchema } from "../host-checks";
import { askProgram, describeProgram } from "../program";
import type { Session } from "../session";
import { QUERY_OPTIONS, queryAll } from "./query-stacks";

export const HOSTS_OPTIONS = { ...QUERY_OPTIONS, host: { type: "string" }, format: { type: "string" } } as const;

const ACTIONS = ["check", "diff", "inventory"] as const;

const hostsSchema = z.record(z.string(), z.object({ running: z.boolean() }).loose());

interface Built {
  name: string;
  stack: string;
  host: z.infer<typeof hostsSchema>[string];
}

/** The hosts of stacks that are up, from their outputs, and the environment in which they are reached. @param stacks none: all */
async function builtHosts(args: Arguments, session: Session, stacks: string[]): Promise<{ built: Built[]; env: Record<string, string> }> {
  const { site, results } = await queryAll("outputs", { ...args, words: stacks }, session);
  const built = results.flatMap(([stack, { outputs }]) => {
    const value = outputs?.["hosts"]?.value;
    if (value === undefined) return [];
    return Object.entries(hostsSchema.parse(value)).map(([name, host]): Built => ({ name, stack, host }));
  });
  return { built, env: site.env };
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

async function check(action: "check" | "diff", args: Arguments, session: Session): Promise<ExitCode> {
  const wanted = args.text("host")?.split(",");
  const { vms } = await describeProgram();
  const { built, env } = await builtHosts(args, session, stacksOf(wanted ?? [], vms));
  const hosts = chosen(wanted, built);
  const notBuilt = wanted === undefined ? [...vms.keys()].filter((name) => !built.some((host) => host.name === name)) : [];
  const checks = hostChecksSchema.parse(await askProgram("check-hosts", JSON.stringify({ hosts }), env));
  if (args.flag("json")) session.out(`${JSON.stringify({ ...checks, notBuilt }, null, 2)}\n`);
  else session.out(action === "diff" ? diffText(checks) : checkText(checks, notBuilt));
  return exitCodeOf(checks);
}

async function inventory(args: Arguments, session: Session): Promise<ExitCode> {
  const format = oneOf(args.text("format"), ["json", "ini", "ssh-config", "known-hosts"], "json", "--format");
  const { built, env } = await builtHosts(args, session, []);
  const hosts = Object.fromEntries(built.map(({ name, host }) => [name, host]));
  if (format === "json") session.out(`${JSON.stringify({ version: 1, hosts }, null, 2)}\n`);
  else session.out(z.object({ text: z.string() }).parse(await askProgram("render-inventory", JSON.stringify({ format, hosts }), env)).text);
  return EXIT.done;
}

export async function manageHosts(args: Arguments, session: Session): Promise<ExitCode> {
  const [action, ...more] = args.words;
  const known = ACTIONS.find((candidate) => candidate === action);
  if (known === undefined || more.length > 0) throw new HomelabError("E_USAGE", `hosts takes one of: ${ACTIONS.join(", ")}`);
  return known === "inventory" ? inventory(args, session) : check(known, args, session);
}
