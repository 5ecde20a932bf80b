/** `homelab rehearse`: builds everything in a lab of its own and proves that it works, or injects faults into such builds. */
import * as fs from "node:fs";
import * as path from "node:path";
import { pathToFileURL } from "node:url";
import { counted } from "../../common/counted";
import { type Arguments, positive } from "../cli/arguments";
import { EXIT, type ExitCode } from "../cli/exit-codes";
import type { Session } from "../cli/session";
import { describeProgram, type Program } from "../target/program";
import { setLabBackend } from "../target/site";
import { ownBackend } from "./own-backend";
import { RehearsalLab, succeed } from "./rehearsal-lab";
import { type Rehearsed, rehearseFaults } from "./rehearse-faults";
import { chooseScenarios, isOfStates } from "./scenarios";
import { type Proof, proofOf, proveServices } from "./services";
import { survivalTable } from "./survival-table";

const MINUTE = 60_000;
/** Minutes after which a command of a rehearsal counts as hanging. */
const DEFAULT_TIMEOUT = 20;

type Step = (what: string, work: () => Promise<string>) => Promise<boolean>;

interface KnownFaults {
  names: string[];
  /** Faults that have no chance to strike in a whole build; undefined where none was made. */
  idle: ReadonlySet<string> | undefined;
}

/**
 * @param builds whether all stacks are built once without a fault, to see which faults could strike at all
 * @returns undefined where it was interrupted
 */
async function knownFaults(timeout: number, builds: boolean, program: Program, session: Session): Promise<KnownFaults | undefined> {
  const lab = new RehearsalLab(timeout);
  const stop = session.onInterrupt(() => lab.interrupt());
  try {
    await lab.start();
    const names = await lab.faultNames();
    if (lab.isInterrupted) return undefined;
    if (!builds) return { names, idle: undefined };
    await succeed(lab, "up", "--lab", "--plain");
    const chances = await lab.chances();
    // The states of this build are in a folder.
    const bucket = await ownBackend(lab, program);
    return { names, idle: new Set(names.filter((name) => (chances[name] ?? 0) === 0 && !(bucket !== undefined && isOfStates(name)))) };
  } catch (thrown) {
    if (lab.isInterrupted) return undefined;
    throw thrown;
  } finally {
    await lab.close();
    stop();
  }
}

async function faults(asked: string, program: Program, args: Arguments, session: Session, timeout: number): Promise<ExitCode> {
  const seed = positive(args.text("seed"), 1, "--seed");
  const known = await knownFaults(timeout, asked === "all", program, session);
  if (known === undefined) return EXIT.interrupted;
  const { names, idle } = known;
  const chosen = chooseScenarios(asked, names, seed);
  const scenarios = chosen.filter(({ name }) => idle?.has(name) !== true);
  const unmet = [...new Set(chosen.filter(({ name }) => idle?.has(name) === true).map(({ name }) => name))];
  const quiet = args.flag("json");
  const tell = ({ fault, verdict, why, seconds }: Rehearsed): void => {
    if (!quiet) session.err(`${fault}: ${verdict} (${seconds} s): ${why}\n`);
  };
  const done = await rehearseFaults(scenarios, program, timeout, session, tell);
  if (quiet) session.out(`${JSON.stringify({ version: 1, seed, rehearsed: done, unmet })}\n`);
  else {
    session.out(`${survivalTable(done, seed, session.terminal.columns())}\n`);
    if (unmet.length > 0) session.out(`nothing that is built here meets: ${unmet.join(", ")}\n`);
  }
  if (done.length < scenarios.length) return EXIT.interrupted;
  return done.every(({ verdict }) => verdict === "survived" || verdict === "failed clearly") ? EXIT.done : EXIT.failed;
}

/** @throws Error where a further run changes something */
async function changeNothing(lab: RehearsalLab): Promise<string> {
  await lab.settle();
  const before = await lab.lastSeq();
  await succeed(lab, "up", "--lab", "--plain");
  // A run writes its states, which may be in the lab's own S3 bucket.
  const writes = (await lab.writes(before)).filter(({ system }) => system !== "s3");
  if (writes.length > 0) throw new Error(`a second run changed ${counted(writes.length, "thing")}, ${writes[0]?.system} ${writes[0]?.action} first`);
  return "nothing changes";
}

/** Takes the states away while the homelab stays, and makes new states from what exists. */
async function loseStates(lab: RehearsalLab): Promise<string> {
  const folder = path.join(lab.dir, "states-made-anew");
  fs.mkdirSync(folder);
  setLabBackend(pathToFileURL(folder).href, lab.dir);
  const before = await lab.lastSeq();
  await succeed(lab, "rebuild", "--existing", "--lab", "--plain");
  const clones = (await lab.writes(before)).filter(({ action }) => action === "clone");
  if (clones.length > 0) throw new Error(`made a second time: ${clones.map(({ target }) => target).join(", ")}`);
  return `no machine is made again; ${await changeNothing(lab)}`;
}

async function rehearseAll(lab: RehearsalLab, program: Program, step: Step, prove: (proof: Proof) => void): Promise<boolean> {
  await lab.start();
  const backend = await ownBackend(lab, program);
  const isBuilt = await step("rebuilt from bare hosts", async () => {
    await succeed(lab, "rebuild", "--lab", "--plain", ...(backend === undefined ? [] : ["--to", backend]));
    const what = `${counted(program.graph.names().length, "stack")}, ${counted((await lab.machines()).length, "machine")}`;
    return backend === undefined ? `${what}; nothing of it keeps the states` : `${what}; the states moved to ${backend.split("?")[0] ?? ""}`;
  });
  if (!isBuilt) return false;
  const isQuiet = await step("built again", () => changeNothing(lab));
  const proofs = await proveServices(lab, program);
  for (const proof of proofs) prove(proof);
  const isFound = await step("states lost, made anew from what exists", () => loseStates(lab));
  const isGone = await step("destroyed", async () => {
    await succeed(lab, "destroy", "--lab", "--plain");
    const left = await lab.machines();
    if (left.length > 0) throw new Error(`machines are left: ${left.join(", ")}`);
    return "no machine is left";
  });
  const unknown = await lab.unhandled();
  const isModelled = await step("calls that the lab does not model", async () => {
    if (unknown.length > 0) throw new Error(unknown.join("; "));
    return "none";
  });
  return isQuiet && isFound && isGone && isModelled && proofs.every(({ ok }) => ok);
}

async function everything(program: Program, args: Arguments, session: Session, timeout: number): Promise<ExitCode> {
  const proofs: Proof[] = [];
  const prove = (proof: Proof): void => {
    proofs.push(proof);
    if (!args.flag("json")) session.out(`${proof.ok ? "✔" : "✘"} ${proof.what}: ${proof.says}\n`);
  };
  const step: Step = async (what, work) => {
    const proof = await proofOf(what, work);
    prove(proof);
    return proof.ok;
  };
  const lab = new RehearsalLab(timeout);
  const stop = session.onInterrupt(() => lab.interrupt());
  try {
    const ok = await rehearseAll(lab, program, step, prove);
    if (args.flag("json")) session.out(`${JSON.stringify({ version: 1, ok, proofs })}\n`);
    return lab.isInterrupted ? EXIT.interrupted : ok ? EXIT.done : EXIT.failed;
  } finally {
    await lab.close();
    stop();
  }
}

/** @returns 1 where something is not as it should be */
export async function rehearse(args: Arguments, session: Session): Promise<ExitCode> {
  const timeout = positive(args.text("timeout"), DEFAULT_TIMEOUT, "--timeout") * MINUTE;
  const program = await describeProgram();
  const asked = args.text("faults");
  return asked === undefined ? everything(program, args, session, timeout) : faults(asked, program, args, session, timeout);
}
