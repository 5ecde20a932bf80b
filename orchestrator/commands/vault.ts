/** `homelab vault …`: the running Vault. */
import { spawn } from "node:child_process";
import * as path from "node:path";
import { z } from "zod";
import { childEnv, ENV, readEnv } from "../../common/env";
import { HomelabError } from "../../common/errors";
import { projectRoot } from "../../common/paths";
import { vaultAddress } from "../../secrets/vault-api";
import { type Arguments, parseArguments } from "../arguments";
import { EXIT, type ExitCode } from "../exit-codes";
import type { Session } from "../session";
import { openSite, type Site } from "../site";
import { QUERY_OPTIONS, queryAll } from "./query-stacks";

export const VAULT_OPTIONS = { lab: { type: "boolean" }, json: { type: "boolean" } } as const;

const status = z.object({ initialized: z.boolean(), sealed: z.boolean() });
const unsealed = z.object({ wasSealed: z.boolean() });
const orphans = z.object({ orphans: z.array(z.string()) });
const deleted = z.object({ deleted: z.array(z.string()) });

/** Runs one verb in a process with the site's environment. What it says passes through the redactor. */
async function ask<T>(answer: z.ZodType<T>, session: Session, site: Site, verb: string, env: Record<string, string>, input = ""): Promise<T> {
  const child = spawn(process.execPath, [path.join(projectRoot(), "bin", "secrets", "vault.main.js"), verb], {
    env: childEnv({ ...site.env, ...env }),
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

/** Where Vault is and the program's own token for it, both outputs of the stack tools. */
async function access(args: Arguments, session: Session): Promise<{ address: string; token: string }> {
  const [, tools] =
    (await queryAll("outputs", parseArguments(["tools", ...(args.flag("lab") ? ["--lab"] : [])], QUERY_OPTIONS, true), session)).results[0] ?? [];
  const { vaultAddress, vaultToken } = tools?.outputs ?? {};
  if (typeof vaultAddress?.value !== "string" || typeof vaultToken?.value !== "string")
    throw new HomelabError("E_VAULT_UNKNOWN", "the stack tools has no Vault yet", { subject: "tools", hint: "build it: `homelab up tools`" });
  return { address: vaultAddress.value, token: vaultToken.value };
}

export async function manageVault(args: Arguments, session: Session): Promise<ExitCode> {
  const [verb, ...words] = args.words;
  if (verb === undefined || !["status", "unseal", "orphans", "delete"].includes(verb) || (verb === "delete") !== words.length > 0)
    throw new HomelabError("E_USAGE", "vault takes status, unseal, orphans, or delete <entry>…", { hint: "see `homelab help`" });
  const site = await openSite(args.flag("lab"));
  // With an address of their own, status and unseal work also where there is no state to read.
  const set = readEnv(ENV.vaultAddress);
  const given = set === undefined ? undefined : vaultAddress(set);
  const { address, token } = given !== undefined && ["status", "unseal"].includes(verb) ? { address: given, token: "" } : await access(args, session);
  const env = { [ENV.vaultAddress]: address };
  const withToken = { ...env, VAULT_TOKEN: token };
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
    case "orphans": {
      const found = await ask(orphans, session, site, verb, withToken);
      say(
        found.orphans.length === 0
          ? "Vault holds nothing that Git has not"
          : `in Vault and not in Git:\n${found.orphans.map((entry) => `  ${entry}`).join("\n")}`,
        found,
      );
      return found.orphans.length === 0 ? EXIT.done : EXIT.changes;
    }
    default: {
      const gone = await ask(deleted, session, site, verb, withToken, words.join("\n"));
      say(`deleted: ${gone.deleted.join(", ")}`, gone);
      return EXIT.done;
    }
  }
}
