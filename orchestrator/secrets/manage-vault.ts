/** `homelab vault …`: the running Vault. */
import * as path from "node:path";
import { z } from "zod";
import { answered } from "../../common/answer";
import { spawn } from "../../common/children";
import { childEnv, ENV, readEnv } from "../../common/env";
import { HomelabError } from "../../common/errors";
import { projectRoot } from "../../common/paths";
import { vaultAddress } from "../../secrets/vault-api";
import type { Arguments } from "../cli/arguments";
import { EXIT, type ExitCode } from "../cli/exit-codes";
import { askByName, refuseUnasked } from "../cli/gate";
import type { Session } from "../cli/session";
import { queryAll } from "../run/query-stacks";
import { listStacks } from "../target/program";
import { openSite, type Site } from "../target/site";
import { readSecret } from "./secrets-input";

const status = z.object({ initialized: z.boolean(), sealed: z.boolean() });
const unsealed = z.object({ wasSealed: z.boolean() });
const root = z.object({ token: z.string() });
const orphans = z.object({ orphans: z.array(z.string()) });
const deleted = z.object({ deleted: z.array(z.string()) });

/** Runs one verb in a process with the site's environment. Its output is redacted. */
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
  if (code !== 0) throw new HomelabError("E_VAULT", stderr.trim() || `vault ${verb} failed without a message`, { subject: env[ENV.vaultAddress] ?? "" });
  return answered(answer, stdout, { from: `vault ${verb}`, code: "E_VAULT", hint: "its output is cut or mixed with another's: run it again" });
}

/**
 * Where Vault is: an output of the stack whose cluster it runs in. A stack whose first run failed after it had created Vault, for example
 * because Vault was sealed, has no outputs yet. Then the address comes from the site.
 */
async function addressOf(args: Arguments, session: Session): Promise<string> {
  const { vaultStack, vaultAddress: planned } = await listStacks();
  if (vaultStack === undefined)
    throw new HomelabError("E_VAULT_UNKNOWN", "no stack has a Vault", { hint: "add the module `vault` to a stack, or set VAULT_ADDR" });
  const [, answer] = (await queryAll("outputs", { ...args, words: [vaultStack] }, session)).results[0] ?? [];
  const { vaultAddress } = answer?.outputs ?? {};
  if (typeof vaultAddress?.value === "string") return vaultAddress.value;
  const [, begun] = (await queryAll("status", { ...args, words: [vaultStack] }, session)).results[0] ?? [];
  if (planned === undefined || begun?.state?.exists !== true || begun.state.resources === 0)
    throw new HomelabError("E_VAULT_UNKNOWN", `the stack ${vaultStack} has no Vault yet`, {
      subject: vaultStack,
      hint: `build it: \`homelab up ${vaultStack}\``,
    });
  return planned;
}

/** What `delete` removes cannot be restored. The question comes before Vault or a backend is asked. */
async function mayDelete(args: Arguments, session: Session): Promise<boolean> {
  if (args.flag("lab") || args.flag("yes")) return true;
  refuseUnasked(session, "homelab vault delete takes entries of the real homelab's Vault away", args.flag("json"));
  const { site } = await listStacks();
  return askByName(session, `This deletes ${args.words.join(", ")} with all versions from the Vault of`, site);
}

/** `vault <verb>` */
export async function manageVault(verb: string, args: Arguments, session: Session): Promise<ExitCode> {
  if (verb === "delete" && !(await mayDelete(args, session))) {
    session.out("nothing was deleted\n");
    return EXIT.refused;
  }
  const site = await openSite(args.flag("lab"));
  // With an address in the environment, this works even where there is no state to read.
  const set = readEnv(ENV.vaultAddress);
  const address = set === undefined ? await addressOf(args, session) : vaultAddress(set);
  const env = { [ENV.vaultAddress]: address };
  const say = (text: string, value: object): void => session.out(args.flag("json") ? `${JSON.stringify({ version: 1, address, ...value })}\n` : `${text}\n`);
  switch (verb) {
    case "status": {
      const state = await ask(status, session, site, verb, env);
      say(`${address}: ${!state.initialized ? "not initialised" : state.sealed ? "sealed" : "unsealed"}`, state);
      return EXIT.done;
    }
    case "unseal": {
      const { wasSealed } = await ask(unsealed, session, site, verb, env);
      say(`${address}: ${wasSealed ? "unsealed" : "was unsealed already"}`, { wasSealed });
      return EXIT.done;
    }
    case "root": {
      const { token } = await ask(root, session, site, verb, env);
      // The token is what was asked for, so it is printed. All other output is redacted.
      session.rawOut(args.flag("json") ? `${JSON.stringify({ version: 1, address, token })}\n` : `${token}\n`);
      session.err("a root token does not expire: when you are done, revoke it by `homelab vault revoke`, which reads it from standard input\n");
      return EXIT.done;
    }
    case "revoke": {
      await ask(z.object({}), session, site, verb, env, await readSecret(session, "the token to revoke", "for example: homelab vault revoke < file"));
      say("revoked", {});
      return EXIT.done;
    }
    case "orphans": {
      const found = await ask(orphans, session, site, verb, env);
      say(
        found.orphans.length === 0
          ? "Vault has no entry that Git does not have"
          : `in Vault and not in Git:\n${found.orphans.map((entry) => `  ${entry}`).join("\n")}`,
        found,
      );
      return found.orphans.length === 0 ? EXIT.done : EXIT.changes;
    }
    case "delete": {
      const gone = await ask(deleted, session, site, verb, env, args.words.join("\n"));
      say(`deleted: ${gone.deleted.join(", ")}`, gone);
      return EXIT.done;
    }
    default:
      throw new Error(`vault has no verb ${verb}`);
  }
}
