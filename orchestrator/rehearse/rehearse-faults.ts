/** Injects one fault after the other into a build of the homelab, each in a lab of its own, and judges the result. */
import type { Session } from "../cli/session";
import { servingStack } from "../rebuild/state-backend";
import type { Program } from "../target/program";
import { setLabBackend } from "../target/site";
import { ownBackend } from "./own-backend";
import { type Ended, type QueuedFault, RehearsalLab, succeed } from "./rehearsal-lab";
import { isOfStates, type Scenario } from "./scenarios";
import { firstLine, judge, type Observed, type Verdict } from "./verdict";

export interface Rehearsed {
  fault: string;
  /** How many chances to strike passed first, and the fault's own parameters: with the seed, what repeats it. */
  after: number;
  parameters: Readonly<Record<string, unknown>>;
  /** Stacks that were built until the fault struck. It struck in the last one. */
  stacks: string[];
  verdict: Verdict;
  why: string;
  /** What a person did before the next run, as docs/runbooks.md says. */
  mended?: string;
  seconds: number;
}

/** Faults after which only a person may act: what docs/runbooks.md says. Each does it and tells what it did. */
const BY_HAND: Readonly<Record<string, (lab: RehearsalLab) => Promise<string>>> = {
  "vault.sealed": async (lab) => {
    await lab.homelab("vault", "unseal", "--lab");
    return "homelab vault unseal --lab";
  },
  "vm.no-boot": async (lab) => {
    const names = await lab.unbooted();
    for (const name of names) await lab.resetVm(name);
    return `reset in Proxmox: ${names.join(", ")}`;
  },
};

const OPTIONS = ["--only", "--lab", "--plain"];

/** Of the scenario, as the lab queues it. */
const faultOf = ({ name, parameters }: Scenario): QueuedFault => ({ name, ...(parameters === undefined ? {} : { parameters }) });

/** Builds what serves the homelab's own bucket, and moves the states there. @returns the stacks that are built; none where it has no such bucket */
async function statesInBucket(lab: RehearsalLab, program: Pick<Program, "graph" | "routes">): Promise<string[]> {
  const backend = await ownBackend(lab, program);
  const serving = backend === undefined ? undefined : servingStack(backend, program);
  if (backend === undefined || serving === undefined) return [];
  const needed = program.graph.withNeeds([serving]);
  const stacks = program.graph.names().filter((stack) => needed.has(stack));
  await succeed(lab, "up", ...stacks, ...OPTIONS);
  await lab.settle();
  await succeed(lab, "state", "migrate", "--lab", "--to", backend);
  setLabBackend(backend, lab.dir);
  return stacks;
}

/** Builds one stack after the other until the fault has struck. @returns the run that it met, or the last one */
async function buildInto(lab: RehearsalLab, order: readonly string[], scenario: Scenario) {
  const stacks: string[] = [];
  let { after } = scenario;
  let first: Ended | undefined;
  for (const stack of order) {
    // The stack before had fewer chances than the seed lets pass: now the fault strikes at the first one.
    if (first !== undefined && after > 0) {
      after = 0;
      await lab.clearFaults();
      await lab.queueFault(faultOf(scenario));
    }
    stacks.push(stack);
    first = await lab.run("up", stack, ...OPTIONS);
    if ((await lab.waitingFaults()) === 0 || first.code !== 0) break;
  }
  if (first === undefined) throw new Error("the program has no stacks");
  return { stacks, first, after, struck: (await lab.waitingFaults()) === 0 };
}

/** What a further run changes, although it has nothing to do. */
async function changedByAnotherRun(lab: RehearsalLab, stacks: readonly string[]): Promise<string[]> {
  await lab.settle();
  const before = await lab.lastSeq();
  const { code, stderr } = await lab.run("up", ...stacks, ...OPTIONS);
  if (code !== 0) return [`nothing, because it failed: ${firstLine(stderr)}`];
  // A run writes its states, which may be in the lab's own bucket.
  return (await lab.writes(before)).filter(({ system }) => system !== "s3").map(({ system, target, action }) => `${system} ${target} ${action}`);
}

async function pendingOf(lab: RehearsalLab, stacks: readonly string[]): Promise<string[]> {
  const { code, stdout, stderr } = await lab.homelab("pending", ...stacks, "--lab");
  if (code !== 0) return [stderr.trim()];
  return stdout === "no creation is pending\n" ? [] : stdout.trim().split("\n");
}

function twiceIn(names: readonly string[]): string[] {
  return [...new Set(names.filter((name, index) => names.indexOf(name) !== index))];
}

/** The homelab's machines of these stacks. */
const machinesOf = (program: Pick<Program, "vms">, stacks: readonly string[]): string[] =>
  [...program.vms].filter(([, stack]) => stacks.includes(stack)).map(([name]) => name);

type RehearsedProgram = Pick<Program, "graph" | "vms" | "routes">;

async function rehearseOne(lab: RehearsalLab, scenario: Scenario, program: RehearsedProgram): Promise<Omit<Rehearsed, "seconds">> {
  const { name, parameters, after: wanted } = scenario;
  await lab.start();
  const built = isOfStates(name) ? await statesInBucket(lab, program) : [];
  const others = program.graph.names().filter((stack) => !built.includes(stack));
  await lab.queueFault({ ...faultOf(scenario), after: wanted });
  // In a homelab of one stack, a run that changes nothing writes a state, too.
  const { stacks: met, first, after, struck } = await buildInto(lab, others.length === 0 ? built : others, scenario);
  const stacks = [...new Set([...built, ...met])];
  await lab.clearFaults();
  const byHand = first.code === 0 ? undefined : BY_HAND[name];
  const mended = byHand === undefined ? {} : { mended: await byHand(lab) };
  const next = first.code === 0 || !struck ? undefined : await lab.run("up", ...stacks, ...OPTIONS);
  const isDone = struck && (first.code === 0 || next?.code === 0);
  const seen: Observed = {
    struck,
    first,
    next,
    restless: isDone ? await changedByAnotherRun(lab, stacks) : [],
    machines: await lab.machines(),
    wanted: machinesOf(program, stacks),
    twice: twiceIn((await lab.writes()).filter(({ system, action }) => system === "proxmox" && action === "clone").map(({ target }) => target)),
    pending: isDone ? await pendingOf(lab, stacks) : [],
    unhandled: await lab.unhandled(),
  };
  return { fault: scenario.title, after, parameters: parameters ?? {}, stacks, ...judge(seen), ...mended };
}

/**
 * @param timeout milliseconds for each command
 * @param told is called with each result as soon as it is known
 */
export async function rehearseFaults(
  scenarios: readonly Scenario[],
  program: RehearsedProgram,
  timeout: number,
  session: Session,
  told: (rehearsed: Rehearsed) => void,
): Promise<Rehearsed[]> {
  const done: Rehearsed[] = [];
  let interrupted = false;
  for (const scenario of scenarios) {
    if (interrupted) break;
    const lab = new RehearsalLab(timeout);
    const stop = session.onInterrupt(() => {
      interrupted = true;
      lab.interrupt();
    });
    const startedAt = session.clock.now();
    try {
      const rehearsed = { ...(await rehearseOne(lab, scenario, program)), seconds: Math.round((session.clock.now() - startedAt) / 1000) };
      // After an interrupt, the result of the run says nothing about the fault.
      if (interrupted) break;
      done.push(rehearsed);
      told(rehearsed);
    } finally {
      await lab.close();
      stop();
    }
  }
  return done;
}
