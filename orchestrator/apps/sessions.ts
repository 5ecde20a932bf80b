/** `homelab sessions`: objects for kubectl, on standard output. */
import * as fs from "node:fs";
import { parse } from "yaml";
import { z } from "zod";
import { HomelabError } from "../../common/errors";
import { portableDocuments } from "../../common/yaml";
import { usageError } from "../cli/arguments";
import type { Arguments } from "../cli/command";
import { EXIT, type ExitCode } from "../cli/exit-codes";
import type { Session } from "../cli/session";
import { askProgram } from "../target/ask-program";
import { listStacks } from "../target/program";

const answerSchema = z.object({ objects: z.array(z.record(z.string(), z.unknown())) });

function read(file: string): string {
  try {
    return fs.readFileSync(file, "utf8");
  } catch (cause) {
    throw new HomelabError("E_SESSION", `${file} cannot be read`, { cause, subject: file });
  }
}

function needed(args: Arguments, flag: string): string {
  const value = args.text(flag);
  if (value === undefined) throw usageError(`--${flag} is missing`, "see `homelab help sessions`");
  return value;
}

/** @throws HomelabError E_SESSION for a file that is no YAML */
function settingsOf(args: Arguments): unknown {
  const file = needed(args, "options");
  const text = read(file);
  try {
    return parse(text);
  } catch (cause) {
    throw new HomelabError("E_SESSION", `${file} is no YAML`, { cause, subject: file });
  }
}

function questionOf(args: Arguments, session: Session, verb: string): object {
  if (verb === "reaper") return { of: "reaper", namespace: args.text("namespace") ?? "cks" };
  if (verb === "golden-image") return { of: "golden-image", settings: settingsOf(args) };
  const running = needed(args, "running");
  if (!/^\d{1,4}$/.test(running))
    throw usageError(`--running takes a whole number, not ${running}`, "count them: kubectl get namespaces -l cks.homelab/session");
  const sshPublicKey = read(needed(args, "ssh-key")).trim();
  return { of: "session", id: args.words[0], sshPublicKey, running: Number(running), now: Math.floor(session.clock.now()), settings: settingsOf(args) };
}

const MODULE = "kubevirt-sessions";

/**
 * Where a stack has the module, its objects are the stack's: kubectl would change them behind its back.
 * @throws HomelabError E_SESSION, E_STACK_UNKNOWN
 */
async function refuseOwned(args: Arguments, verb: string): Promise<void> {
  const { graph, stacks } = await listStacks();
  const chosen = args.text("stack");
  if (chosen !== undefined) graph.node(chosen);
  const owner = stacks.find(({ name, modules }) => (chosen === undefined || name === chosen) && modules.some((module) => module.name === MODULE));
  if (owner === undefined) return;
  throw new HomelabError("E_SESSION", `the ${verb} belongs to the module ${MODULE} of the stack ${owner.name}, which makes it`, {
    subject: owner.name,
    hint: `change the module's options and run \`homelab up ${owner.name}\`; for the cluster of another stack, name that one: --stack NAME`,
  });
}

/** The objects of a session contain its token. kubectl needs it, so they are printed without redaction. @throws HomelabError E_SESSION, E_USAGE */
export async function sessions(args: Arguments, session: Session, verb: string): Promise<ExitCode> {
  if (verb !== "new") await refuseOwned(args, verb);
  const { objects } = answerSchema.parse(await askProgram("sessions", JSON.stringify(questionOf(args, session, verb))));
  session.rawOut(portableDocuments(objects));
  return EXIT.done;
}
