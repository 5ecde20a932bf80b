/** Plans on disk: written after a preview, read before an `up`. */
import * as path from "node:path";
import { HomelabError, systemErrorCode } from "../../common/errors";
import { readRegularFile } from "../../common/files";
import { loadAgeKeys } from "../../secrets/age-keys";
import { REFUSED } from "../cli/gate";
import type { Session } from "../cli/session";
import type { RunReport } from "../report/report-schema";
import { engineRunner } from "../target/engine";
import { secretsPlace } from "../target/lab-secrets";
import { checkGround, openPlan, type PlanFacts, type PlanGround, planDifferences, planOf, sealed } from "./run-plan";
import type { RunSetup } from "./run-setup";

/** Far more than the plan of any homelab has. */
const MAX_BYTES = 32 * 1024 * 1024;

/** The age keys that decrypt the homelab's secrets seal its plans, too. */
const keysOf = (env: Readonly<Record<string, string>>): string[] => loadAgeKeys(secretsPlace(env).ageKeyFile).map(({ secret }) => secret);

async function groundOf({ program, site, commit, engine }: RunSetup): Promise<PlanGround> {
  const version = (await engineRunner(engine.root, site.workDir)(["version"], site.env)).trim();
  return { site: program.site, kind: site.kind, commit: commit ?? null, engine: `${engine.name} ${version}` };
}

export async function writePlan(setup: RunSetup, report: RunReport, session: Session, file: string): Promise<void> {
  const [key = ""] = keysOf(setup.site.env);
  session.writeFile(path.resolve(file), sealed(planOf(report, await groundOf(setup), key), key), 0o644);
}

export interface GivenPlan {
  file: string;
  facts: PlanFacts;
  key: string;
}

/** @throws HomelabError E_REFUSED for a file that is no plan, or that none of our keys has sealed */
export function readPlan(file: string, env: Readonly<Record<string, string>>): GivenPlan {
  let text: string | undefined;
  try {
    text = readRegularFile(path.resolve(file), MAX_BYTES);
  } catch (cause) {
    const what = systemErrorCode(cause) === "ENOENT" ? "is not there" : "cannot be read";
    throw new HomelabError(REFUSED, `the plan ${file} ${what}`, { cause, subject: file, hint: `make it: homelab preview --plan ${file}` });
  }
  if (text === undefined)
    throw new HomelabError(REFUSED, `the plan ${file} is not a file of at most 32 MiB`, {
      subject: file,
      hint: "name the file that `homelab preview --plan` wrote",
    });
  return { file, ...openPlan(text, file, keysOf(env)) };
}

/** @throws HomelabError E_REFUSED where a fresh preview is not what was reviewed, with every difference */
export async function holdAgainst({ file, facts, key }: GivenPlan, setup: RunSetup, report: RunReport): Promise<void> {
  const ground = await groundOf(setup);
  checkGround(facts, ground, file);
  const differences = planDifferences(facts, planOf(report, ground, key));
  if (differences.length === 0) return;
  throw new HomelabError(REFUSED, `what would be done now is not what the plan ${file} says:\n${differences.map((line) => `  ${line}`).join("\n")}`, {
    subject: file,
    hint: `review it again: homelab preview --plan ${file}`,
  });
}
