/** `homelab vault …`: the running Vault. */
import { spawn } from "node:child_process";
import * as path from "node:path";
import { z } from "zod";
import { childEnv, ENV, readEnv } from "../../common/env";
import { HomelabError } from "../../common/errors";
import { projectRoot } from "../../common/paths";
import { vaultAddress } from "../../secrets/vault-api";
import { type Arguments, parseArguments } from "../cli/arguments";
import { EXIT, type ExitCode } from "../cli/exit-codes";
import type { Session } from "../cli/session";
import { openSite, type Site } from "../target/site";
import { QUERY_OPTIONS, queryAll } from "./query-stacks";
import { readSecret } from "./secrets-input";

export const VAULT_OPTIONS = { lab: { type: "boolean" }, json: { type: "boolean" } } as const;

const status = z.object({ initialized: z.boolean(), sealed: z.boolean() });
const unsealed = z.object({ wasSealed: z.boolean() });
const root = z.object({ token: z.string() });
const orphans = z.object({ orphans: z.array(z.string()) });
const deleted = z.object({ deleted: z.array(z.string()) });

/** Runs one verb in a process with the site's environment. What it says passes through the redactor. */
async function ask<T>(answer: z.ZodType<T>, session: Session, site: Site, verb: string, env: Record<string, string>, input = ""): Promise<T> {
  const child = spawn(process.execPath, [path.join(projectRoot(), "bin", "secrets", "vault.main.js"), verb], {
    // A token in the owner's shell is for another Vault, or for other work.
    env: childEnv({ ...site.env, ...env, VAULT_TOKEN: undefined }),
    stdio: ["pipe", "pipe", "pipe"],
  });
  const stop = session.onInterrupt(() => child.kill("SIGTERM"));
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    stdout += chunk;
  });
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    stderr += chunk;
  });
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  const code = await new Promise<number | null>((resolve, reject) => child.once("error", reject).once("close", resolve));
  stop();
  if (code !== 0) throw new HomelabError("E_VAULT", stderr.trim() || `vault ${verb} ended without a word`, { subject: env[ENV.vaultAddress] ?? "" });
  return answer.parse(JSON.parse(stdout));
}

/** Where Vault is: an output of the stack tools. */
async function addressOf(args: Arguments, session: Session): Promise<string> {
  const [, tools] =
    (await queryAll("outputs", parseArguments(["tools", ...(args.flag("lab") ? ["--lab"] : [])], QUERY_OPTIONS, true), session)).results[0] ?? [];
  const { vaultAddress } = tools?.outputs ?? {};
  if (typeof vaultAddress?.value !== "string")
    throw new HomelabError("E_VAULT_UNKNOWN", "the stack tools has no Vault yet", { subject: "tools", hint: "build it: `homelab up tools`" });
  return vaultAddress.value;
}

export async function manageVault(args: Arguments, session: Session): Promise<ExitCode> {
  const [verb, ...words] = args.words;
  if (verb === undefined || !["status", "unseal", "root", "revoke", "orphans", "delete"].includes(verb) || (verb === "delete") !== words.length > 0)
    throw new HomelabError("E_USAGE", "vault takes status, unseal, root, revoke, orphans, or delete <entry>…", { hint: "see `homelab help`" });
  const site = await openSite(args.flag("lab"));
  // With an address of its own, it works also where there is no state to read.
  const set = readEnv(ENV.vaultAddress);
  const address = set === undefined ? await addressOf(args, session) : vaultAddress(set);
  const env = { [ENV.vaultAddress]: address };
  const say = (text: string, value: object): void => session.out(args.flag("json") ? `${JSON.stringify({ version: 1, address, ...value })}\n` : `${text}\n`);
  switch (verb) {
    case "status": {
      const state = await ask(status, session, site, verb, env);
      say(`${address}: ${!state.initialized ? "not initialised" : state.sealed ? "sealed" : "open"}`, state);
      return EXIT.done;
    }
    case "unseal": {
      const { wasSealed } = await ask(unsealed, session, site, verb, env);
      say(`${address}: ${wasSealed ? "unsealed" : "was open already"}`, { wasSealed });
      return EXIT.done;
    }
    case "root": {
      const { token } = await ask(root, session, site, verb, env);
      // It is what was asked for; nothing else that is printed may hold it.
      session.rawOut(args.flag("json") ? `${JSON.stringify({ version: 1, address, token })}\n` : `${token}\n`);
      session.err("a root token has no end: `homelab vault revoke` takes it on standard input, once it is done with\n");
      return EXIT.done;
    }
    case "revoke": {
      await ask(z.object({}), session, site, verb, env, await readSecret(session, "the token to revoke"));
      say("revoked", {});
      return EXIT.done;
    }
    case "orphans": {
      const found = await ask(orphans, session, site, verb, env);
      say(
        found.orphans.length === 0
          ? "Vault holds nothing that Git has not"
          : `in Vault and not in Git:\n${found.orphans.map((entry) => `  ${entry}`).join("\n")}`,
        found,
      );
      return found.orphans.length === 0 ? EXIT.done : EXIT.changes;
    }
    default: {
      const gone = await ask(deleted, session, site, verb, env, words.join("\n"));
      say(`deleted: ${gone.deleted.join(", ")}`, gone);
      return EXIT.done;
    }
  }
}
