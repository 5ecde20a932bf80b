/**
 * `homelab rebuild`: builds the whole homelab from bare Proxmox hosts, or, where asked, makes new states for one whose states are lost. The
 * state backend may run in the homelab itself. Then the stacks that serve it are built first, with their states in a folder; these states move
 * to the backend, and the other stacks follow. Progress is recorded, and the same command continues from there.
 */
import * as fs from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { counted } from "../../common/counted";
import { HomelabError } from "../../common/errors";
import { type Attempt, retry } from "../../common/retry";
import { readApps } from "../apps/app-facts";
import { missingImages } from "../apps/missing-images";
import { type Arguments, forOnly, usageError } from "../cli/arguments";
import { EXIT, type ExitCode } from "../cli/exit-codes";
import { askByName, refuseUnasked } from "../cli/gate";
import type { Session } from "../cli/session";
import { REAL_PARTS, type RunParts } from "../run/run-setup";
import { runStacks } from "../run/run-stacks";
import { whileHeld } from "../run/while-held";
import { migrationRecord, StateMigration, writeRecord } from "../state/state-migration";
import { endRebuild, type RebuildRecord, readRebuild, writeRebuild } from "../store/rebuild-record";
import { backendOf, configuredBackend } from "../target/configured-backend";
import { engineOf, engineRunner, listedStacks } from "../target/engine";
import type { Program } from "../target/program";
import { besideRuns, type Site, setLabBackend } from "../target/site";
import { requireCredentials, servingStack } from "./state-backend";

/** The state backend answers only some time after its stack is built, when its DNS record and its certificate exist. */
const LOOK_AGAIN = 5_000;
const LOOKS = 60;

export interface RebuildParts extends RunParts {
  readApps: typeof readApps;
}

interface Rebuild {
  site: Site;
  program: Program;
  record: RebuildRecord;
  /** The stacks that must be built before the backend answers. */
  first: string[];
  args: Arguments;
  session: Session;
  parts: RebuildParts;
  say(text: string): void;
}

type Engine = (backend: string, words: readonly string[]) => Promise<string>;

const engineAt = (args: Arguments, site: Site): Engine => {
  const run = engineRunner(engineOf(args).root, site.workDir);
  return (backend, words) => run(words, { ...site.env, PULUMI_BACKEND_URL: backend });
};

/** @throws HomelabError E_REBUILD where the states are there: nothing is lost, and a rebuild would begin from none */
async function refuseWhereStatesAre(target: string, isServedHere: boolean, engine: Engine): Promise<void> {
  let there: string[];
  try {
    const listed = await listedStacks((words) => engine(target, words));
    there = listed.flatMap(({ name, resourceCount = 0 }) => (resourceCount > 0 ? [name] : []));
  } catch (thrown) {
    // A backend in this homelab does not answer before it is built.
    if (isServedHere) return;
    throw thrown;
  }
  if (there.length === 0) return;
  throw new HomelabError("E_REBUILD", `the states of ${there.join(", ")} are in ${target}`, {
    subject: target,
    hint: "`homelab up` builds what is missing; a state that is wrong: `homelab state restore`, or remove it there first",
  });
}

/** The record of the rebuild to continue, or of a new one. */
async function recordOf(args: Arguments, session: Session, site: Site, program: Program, engine: Engine): Promise<RebuildRecord> {
  const begun = readRebuild(site.runsDir);
  const to = args.text("to");
  if (begun !== undefined) {
    if (to !== undefined && to !== begun.target)
      throw new HomelabError("E_REBUILD", `the rebuild of ${begun.startedAt} has ${begun.target} as its backend`, {
        subject: to,
        hint: "leave out --to to go on with it",
      });
    return args.flag("existing") ? { ...begun, existing: true } : begun;
  }
  const target = to ?? backendOf(site);
  if (target === undefined)
    throw usageError("say in which backend the states are to be: --to URL, or PULUMI_BACKEND_URL", "file://<folder> or s3://<bucket>?endpoint=…");
  requireCredentials(target, site.env);
  const isServedHere = servingStack(target, program) !== undefined;
  await refuseWhereStatesAre(target, isServedHere, engine);
  return {
    version: 1,
    startedAt: new Date(session.clock.now()).toISOString(),
    target,
    ...(isServedHere ? { local: pathToFileURL(besideRuns(site.runsDir, "rebuild-states")).href } : {}),
    existing: args.flag("existing"),
    moved: false,
  };
}

/** A run over these stacks, with their states in that backend. */
function build({ args, session, parts, record }: Rebuild, backend: string, words: readonly string[]): Promise<ExitCode> {
  return runStacks("up", forOnly(args, words), session, {
    ...parts,
    takeOver: record.existing,
    openSite: async (useLab) => {
      const site = await parts.openSite(useLab);
      return { ...site, env: { ...site.env, PULUMI_BACKEND_URL: backend } };
    },
  });
}

/** @throws HomelabError E_REBUILD where it does not */
async function untilItAnswers(backend: string, engine: Engine, session: Session): Promise<void> {
  const again = ({ number, outcome }: Attempt<string>): number | undefined => ("thrown" in outcome && number < LOOKS ? LOOK_AGAIN : undefined);
  try {
    await retry(() => engine(backend, ["stack", "ls", "--json"]), { clock: session.clock, firstMs: LOOK_AGAIN, longestMs: LOOK_AGAIN, again });
  } catch (cause) {
    throw new HomelabError("E_REBUILD", `${backend} does not answer ${(LOOKS * LOOK_AGAIN) / 60_000} minutes after its stack was built`, {
      cause,
      subject: backend,
      hint: "see whether its bucket is among those that the module makes, and whether the credentials may use it; then run `homelab rebuild` again",
    });
  }
}

async function move({ site, record, args, session, say }: Rebuild, local: string): Promise<void> {
  const engine = engineAt(args, site);
  const moveAll = async (): Promise<void> => {
    await untilItAnswers(record.target, engine, session);
    writeRecord(migrationRecord(site.runsDir), await new StateMigration(engine, say).migrate(local, record.target, []));
    if (site.kind === "lab") setLabBackend(record.target);
    writeRebuild(site.runsDir, { ...record, moved: true });
  };
  await whileHeld(site.runsDir, "rebuild", session, moveAll, args.flag("wait"));
}

/** Pods of applications wait for images that nobody has pushed into the new registry. @returns whether the other stacks may be built */
async function imagesAreThere({ site, program, args, session, parts, first }: Rebuild): Promise<boolean> {
  // No image is pulled in the lab.
  if (site.kind === "lab" || args.flag("without-images")) return true;
  const built = new Set(first);
  const hosts = new Set((program.routes ?? []).filter(({ owner, stack }) => owner === "harbor" && built.has(stack)).map(({ host }) => host));
  if (hosts.size === 0) return true;
  const { missing, unknown } = await missingImages((await parts.readApps()).stacks, hosts);
  for (const { image, why } of unknown) session.err(`note: whether ${image} is there is not known: ${why}\n`);
  if (missing.length === 0) return true;
  session.err(
    `error: the registry does not have ${counted(missing.length, "image")} yet:\n${missing.map(({ image, apps }) => `  ${image}: ${apps.join(", ")}`).join("\n")}\n`,
  );
  session.err("push them, from a copy or by their pipelines; then `homelab rebuild` goes on. --without-images goes on now: their pods wait for them\n");
  return false;
}

/** Does the steps that are left. The record stays unless everything is done. */
async function go(rebuild: Rebuild): Promise<ExitCode> {
  const { record, first, program, site, say } = rebuild;
  const rest = program.graph.names().filter((stack) => !first.includes(stack));
  if (record.local !== undefined && !record.moved) {
    say(`1 of 3: ${first.join(", ")}, with states in ${record.local}`);
    const code = await build(rebuild, record.local, first);
    if (code !== EXIT.done) return code;
    say(`2 of 3: the states move to ${record.target}`);
    await move(rebuild, record.local);
  }
  if (rest.length > 0) {
    if (!(await imagesAreThere(rebuild))) return EXIT.failed;
    say(`${record.local === undefined ? "" : "3 of 3: "}${rest.join(", ")}, with states in ${record.target}`);
    const code = await build(rebuild, record.target, rest);
    if (code !== EXIT.done) return code;
  }
  endRebuild(site.runsDir);
  return EXIT.done;
}

function tellWhatIsLeft({ site, record, program, say }: Rebuild): void {
  say(`the homelab ${program.site} is built; its states are in ${record.target}`);
  if (site.kind === "lab") return;
  if (program.vaultStack !== undefined) say("commit secrets/vault/: the keys that unseal the new Vault, encrypted");
  if (configuredBackend() !== record.target) say(`set PULUMI_BACKEND_URL, or backend.url in Pulumi.yaml, to ${record.target}`);
  if (record.local !== undefined) say(`${record.local} still has the first states, as they moved: remove it once \`homelab preview\` shows no changes`);
}

async function mayBegin({ site, program, record, args, session }: Rebuild): Promise<boolean> {
  if (site.kind === "lab" || args.flag("yes")) return true;
  return askByName(
    session,
    record.existing ? "This takes what is there into new states, and builds what is missing of" : "This builds from nothing",
    program.site,
  );
}

/** @throws HomelabError E_USAGE, E_REBUILD */
export async function rebuild(args: Arguments, session: Session, parts: RebuildParts = { ...REAL_PARTS, readApps }): Promise<ExitCode> {
  if (!args.flag("lab") && !args.flag("yes")) refuseUnasked(session, "homelab rebuild builds the real homelab", args.flag("json"));
  const site = await parts.openSite(args.flag("lab"));
  const program = await parts.describeProgram();
  const record = await recordOf(args, session, site, program, engineAt(args, site));
  const serving = servingStack(record.target, program);
  const first = serving === undefined || record.local === undefined ? [] : [...program.graph.withNeeds([serving])];
  const say = (text: string): void => (args.flag("json") ? session.err : session.out)(`${text}\n`);
  const whole: Rebuild = { site, program, record, first, args, session, parts, say };
  if (!(await mayBegin(whole))) {
    session.out("nothing was changed\n");
    return EXIT.refused;
  }
  writeRebuild(site.runsDir, record);
  if (record.local !== undefined) fs.mkdirSync(fileURLToPath(record.local), { recursive: true, mode: 0o700 });
  const code = await go(whole);
  if (code === EXIT.done) tellWhatIsLeft(whole);
  else if (code !== EXIT.refused) session.err("note: `homelab rebuild` goes on from here\n");
  return code;
}
