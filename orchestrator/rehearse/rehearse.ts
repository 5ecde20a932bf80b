/** `homelab rehearse`: everything is built in a lab of its own and proved to work, or faults are injected into the building of it. */
import { counted } from "../../common/counted";
import { type Arguments, positive } from "../cli/arguments";
import { EXIT, type ExitCode } from "../cli/exit-codes";
import type { Session } from "../cli/session";
import { describeProgram, type Program } from "../target/program";
import { RehearsalLab } from "./rehearsal-lab";
import { type Rehearsed, rehearseFaults } from "./rehearse-faults";
import { chooseScenarios } from "./scenarios";
import { type Proof, proofOf, proveServices } from "./services";
import { survivalTable } from "./survival-table";

const MINUTE = 60_000;
/** A command of a rehearsal that takes longer hangs. */
const DEFAULT_TIMEOUT = 20;

type Step = (what: string, work: () => Promise<string>) => Promise<boolean>;

interface KnownFaults {
  names: string[];
  /** Those that nothing of a whole build meets; undefined where none was made. */
  idle: ReadonlySet<string> | undefined;
}

/**
 * @param builds whether all stacks are built once without a fault, to see which could strike at all
 * @returns undefined where it was interrupted
 */
async function knownFaults(timeout: number, builds: boolean, session: Session): Promise<KnownFaults | undefined> {
  const lab = new RehearsalLab(timeout);
  const stop = session.onInterrupt(() => lab.interrupt());
  try {
    await lab.start();
    const names = await lab.faultNames();
    if (lab.isInterrupted) return undefined;
    if (!builds) return { names, idle: undefined };
    await succeed(lab, "up", "--lab", "--plain");
    const chances = await lab.chances();
    return { names, idle: new Set(names.filter((name) => (chances[name] ?? 0) === 0)) };
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
  const known = await knownFaults(timeout, asked === "all", session);
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

/** A run that ends well. @throws Error with what it said last */
async function succeed(lab: RehearsalLab, ...words: string[]): Promise<void> {
  const { code, stdout, stderr } = await lab.homelab(...words);
  if (code !== 0) throw new Error(`homelab ${words.join(" ")} ${code === null ? "hung" : `ended with ${code}`}: ${stderr.trim() || stdout.trim()}`);
}

async function rehearseAll(lab: RehearsalLab, program: Program, step: Step, prove: (proof: Proof) => void): Promise<boolean> {
  await lab.start();
  const isBuilt = await step("built from nothing", async () => {
    await succeed(lab, "up", "--lab", "--plain");
    return `${counted(program.graph.names().length, "stack")}, ${counted((await lab.machines()).length, "machine")}`;
  });
  if (!isBuilt) return false;
  const isQuiet = await step("built again", async () => {
    await lab.settle();
    const before = await lab.lastSeq();
    await succeed(lab, "up", "--lab", "--plain");
    const writes = await lab.writes(before);
    if (writes.length > 0) throw new Error(`a second run changed ${counted(writes.length, "thing")}, ${writes[0]?.system} ${writes[0]?.action} first`);
    return "nothing changes";
  });
  const proofs = await proveServices(lab, program);
  for (const proof of proofs) prove(proof);
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
  return isQuiet && isGone && isModelled && proofs.every(({ ok }) => ok);
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
