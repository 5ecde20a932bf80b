/** What `homelab doctor` looks at on this machine. Each check says what it found and what to do; none changes anything. */

import { X509Certificate } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { backendFolder } from "../../common/backend-folder";
import { counted } from "../../common/counted";
import { readEnv } from "../../common/env";
import { HomelabError } from "../../common/errors";
import { registerAllSecrets } from "../../secrets/load";
import type { Session } from "../cli/session";
import { missingSshTools } from "../hosts/ssh-tools";
import { doubtLines } from "../run/doubt-text";
import { foldRuns } from "../store/run-fold";
import { readRuns } from "../store/run-records";
import { askGit } from "../target/checkout";
import { configuredBackend } from "../target/configured-backend";
import type { Program } from "../target/program";
import { ownAuthority } from "../target/trust";

export interface Check {
  name: string;
  /** `look`: a run works, but somebody should look at it. `wrong`: a run fails. */
  verdict: "ok" | "look" | "wrong";
  says: string;
  next?: string;
}

type Finding = Omit<Check, "name">;
const ok = (says: string): Finding => ({ verdict: "ok", says });
const look = (says: string, next: string): Finding => ({ verdict: "look", says, next });
const wrong = (says: string, next: string): Finding => ({ verdict: "wrong", says, next });

const DAY = 86_400_000;
/** Days before its end at which a certificate is worth a look. */
const CERTIFICATE_DAYS = 30;
const GIB = 1024 ** 3;

/** @param now milliseconds since the epoch */
export function certificateFinding(pem: string, now: number): Finding {
  const { validTo } = new X509Certificate(pem);
  const days = Math.floor((Date.parse(validTo) - now) / DAY);
  const next = "make its certificate anew with the same key (docs/runbooks.md, A certificate has expired), then `homelab up`";
  if (days < 0) return wrong(`ended on ${validTo}`, next);
  return days < CERTIFICATE_DAYS ? look(`ends in ${days} days, on ${validTo}`, next) : ok(`valid until ${validTo}`);
}

/** @param free bytes */
export function diskFinding(free: number): Finding {
  const says = `${(free / GIB).toFixed(1)} GiB free`;
  if (free < GIB / 10) return wrong(says, "make room: a run's folder could not be written");
  return free < GIB ? look(says, "make room: a run writes its journal there") : ok(says);
}

/** Runs connect by themselves; only `homelab ssh` needs the programs. @param missing of OpenSSH's client */
export const sshFinding = (missing: readonly string[]): Finding =>
  missing.length === 0
    ? ok("OpenSSH's client is installed")
    : look(`${missing.join(", ")} cannot be found on PATH: \`homelab ssh\` opens no session`, "install OpenSSH's client");

/** @param url of the backend; undefined where none is set. @param passphrase whether one is set */
export function backendFinding(url: string | undefined, passphrase: boolean): Finding {
  if (url === undefined) return wrong("no state backend is set", "set PULUMI_BACKEND_URL, or backend.url in Pulumi.yaml (docs/state.md)");
  if (!passphrase) return wrong(`${url}, without a passphrase`, "set PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE");
  if (!url.startsWith("file:///")) return ok(url);
  try {
    fs.accessSync(backendFolder(url), fs.constants.R_OK | fs.constants.W_OK);
    return ok(url);
  } catch (thrown) {
    if (thrown instanceof HomelabError) return wrong(thrown.message, thrown.hint ?? "");
    return wrong(`${backendFolder(url)} is not there, or may not be written`, "make it, or name another backend");
  }
}

/** Turns a HomelabError of a check into its finding. */
async function orWrong(check: () => Promise<Finding>, next: string): Promise<Finding> {
  try {
    return await check();
  } catch (thrown) {
    if (!(thrown instanceof HomelabError)) throw thrown;
    return wrong(thrown.message, thrown.hint ?? next);
  }
}

const secretsFinding = (program: Promise<Program>, session: Session): Promise<Finding> =>
  orWrong(async () => {
    await registerAllSecrets({ register: (value) => session.redactor.register(value) }, (await program).graph.names());
    return ok("the age key opens all files, and each is filled in");
  }, "see docs/secrets.md");

const programFinding = (program: Promise<Program>): Promise<Finding> =>
  orWrong(async () => {
    const { graph, warnings } = await program;
    return warnings.length === 0 ? ok(counted(graph.names().length, "stack")) : look(warnings.join("; "), "change what they name, or live with it");
  }, "correct what is named");

async function checkoutFinding(): Promise<Finding> {
  const commit = await askGit();
  if ("why" in commit) return look(commit.why, "--affected and plans know no commit here");
  return commit.clean ? ok(commit.hash.slice(0, 12)) : look(`${commit.hash.slice(0, 12)} with changes`, "commit them: a plan of other changes is refused");
}

function runsFinding(runsDir: string): Finding {
  const [first, ...more] = doubtLines(foldRuns(readRuns(runsDir)));
  return first === undefined ? ok("all ended in order") : look([first, ...more].join("; "), "homelab resume");
}

const PASSPHRASE = ["PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"];

/** The nearest folder above that is there. */
const existing = (dir: string): string => (fs.existsSync(dir) ? dir : existing(path.dirname(dir)));

/**
 * @param program its description, requested once. Each check that needs it reports its error.
 * @param runsDir of the site; the lab has its own key, backend and authority, which are not looked at
 */
export async function runChecks(program: Promise<Program>, runsDir: string, isLab: boolean, session: Session): Promise<Check[]> {
  const authority = ownAuthority();
  const { bavail, bsize } = fs.statfsSync(existing(runsDir));
  const found: [string, Finding | undefined][] = [
    ["checkout", await checkoutFinding()],
    ["program", await programFinding(program)],
    ["secrets", isLab ? undefined : await secretsFinding(program, session)],
    [
      "state",
      isLab
        ? undefined
        : backendFinding(
            configuredBackend(),
            PASSPHRASE.some((name) => readEnv(name) !== undefined),
          ),
    ],
    ["authority", isLab || !fs.existsSync(authority) ? undefined : certificateFinding(fs.readFileSync(authority, "utf8"), session.clock.now())],
    ["disk", diskFinding(bavail * bsize)],
    ["ssh", sshFinding(missingSshTools())],
    ["runs", runsFinding(runsDir)],
  ];
  return found.flatMap(([name, finding]) => (finding === undefined ? [] : [{ name, ...finding }]));
}
