/**
 * The plan of a whole run. `preview --plan` writes it, and `up --plan` compares a fresh preview with it. It has names and keyed fingerprints
 * of values, and no value. A seal over all of it, keyed with the age key that opens the secrets, shows whether somebody changed it.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import { HomelabError } from "../../common/errors";
import type { ReportStep, RunReport } from "../report/report-schema";

const stepSchema = z.object({
  op: z.string(),
  urn: z.string(),
  /** Changed properties. */
  paths: z.array(z.string()),
  /** Keyed fingerprint of the old and new values. */
  values: z.string(),
});
type PlanStep = z.infer<typeof stepSchema>;

const factsSchema = z.object({
  version: z.literal(1),
  /** The homelab's domain, and whether it is the lab. */
  site: z.string(),
  kind: z.enum(["real", "lab"]),
  commit: z.object({ hash: z.string(), clean: z.boolean() }).nullable(),
  /** Name and version. */
  engine: z.string(),
  stacks: z.array(z.object({ stack: z.string(), steps: z.array(stepSchema) })),
});
export type PlanFacts = z.infer<typeof factsSchema>;

const planSchema = factsSchema.extend({ seal: z.string() });

/** What a plan is made for, besides its steps. */
export type PlanGround = Pick<PlanFacts, "site" | "kind" | "commit" | "engine">;

const mac = (key: string, text: string): string => createHmac("sha256", `homelab plan ${key}`).update(text).digest("hex");

/** Steps that change nothing, or that every preview has. */
const QUIET = new Set(["same", "read", "refresh"]);

function planStep(key: string, { op, urn, diffs, keys, values = [] }: ReportStep): PlanStep {
  const paths = [...new Set([...diffs, ...keys, ...values.map(({ path }) => path)])].sort();
  const sorted = values.toSorted((a, b) => (a.path < b.path ? -1 : 1)).map(({ path, from, to }) => [path, from ?? null, to ?? null]);
  return { op, urn, paths, values: mac(key, JSON.stringify(sorted)) };
}

/** @param key the age key that opens the homelab's secrets */
export function planOf(report: Pick<RunReport, "stacks">, ground: PlanGround, key: string): PlanFacts {
  const order = (a: PlanStep, b: PlanStep): number => (`${a.urn} ${a.op}` < `${b.urn} ${b.op}` ? -1 : 1);
  const stacks = report.stacks.map(({ stack, steps }) => ({
    stack,
    steps: steps
      .filter(({ op }) => !QUIET.has(op))
      .map((step) => planStep(key, step))
      .sort(order),
  }));
  return { version: 1, ...ground, stacks };
}

export function sealed(given: PlanFacts, key: string): string {
  // With its keys in the order in which it will be parsed again.
  const facts = factsSchema.parse(given);
  return `${JSON.stringify({ ...facts, seal: mac(key, JSON.stringify(facts)) }, null, 2)}\n`;
}

const refused = (message: string, file: string, hint: string): HomelabError =>
  new HomelabError("E_REFUSED", `the plan ${file} ${message}`, { subject: file, hint });

/** @throws HomelabError E_REFUSED for a text that is no plan, or was changed since it was written */
export function openPlan(text: string, file: string, keys: readonly string[]): { facts: PlanFacts; key: string } {
  let parsed: z.infer<typeof planSchema>;
  try {
    parsed = planSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new HomelabError("E_REFUSED", `${file} is no plan of a run`, { cause, subject: file, hint: `make one: homelab preview --plan ${file}` });
  }
  const { seal, ...facts } = parsed;
  const key = keys.find((candidate) => {
    const own = mac(candidate, JSON.stringify(facts));
    return own.length === seal.length && timingSafeEqual(Buffer.from(own), Buffer.from(seal));
  });
  if (key === undefined) throw refused("was changed after it was written, or made with another age key", file, `make it again: homelab preview --plan ${file}`);
  return { facts, key };
}

const groundText = ({ commit }: Pick<PlanGround, "commit">): string =>
  commit === null ? "no commit" : `${commit.hash.slice(0, 12)}${commit.clean ? "" : " with changes"}`;

/** @throws HomelabError E_REFUSED for a plan of another homelab, commit or engine */
export function checkGround(plan: PlanGround, now: PlanGround, file: string): void {
  const hint = `make it again: homelab preview --plan ${file}`;
  const site = ({ site: name, kind }: PlanGround): string => (kind === "lab" ? `the lab of ${name}` : name);
  if (site(plan) !== site(now)) throw refused(`is of ${site(plan)}, and this is ${site(now)}`, file, hint);
  if (plan.commit?.hash !== now.commit?.hash || plan.commit?.clean !== now.commit?.clean)
    throw refused(`is of ${groundText(plan)}, and the checkout is at ${groundText(now)}`, file, hint);
  if (plan.engine !== now.engine) throw refused(`was made by ${plan.engine}, and the engine is ${now.engine}`, file, hint);
}

const nameOf = (urn: string): string => urn.split("::").at(-1) ?? urn;
const kindOf = (urn: string): string => (urn.split("::").at(-2) ?? "").split("$").at(-1)?.split(":").at(-1) ?? "";
const shown = ({ op, urn }: PlanStep): string => `${op} ${kindOf(urn)} ${nameOf(urn)}`;

function stepDifferences(planned: readonly PlanStep[], now: readonly PlanStep[]): string[] {
  const by = (steps: readonly PlanStep[]) => new Map(steps.map((step) => [`${step.urn} ${step.op}`, step]));
  const [before, after] = [by(planned), by(now)];
  const lines = [...before].flatMap(([id, step]) => {
    const other = after.get(id);
    if (other === undefined) return [`- ${shown(step)}: in the plan, and no longer to be done`];
    const added = other.paths.filter((path) => !step.paths.includes(path));
    const gone = step.paths.filter((path) => !other.paths.includes(path));
    if (added.length + gone.length > 0)
      return [`~ ${shown(step)}: ${[...added.map((path) => `also ${path}`), ...gone.map((path) => `no longer ${path}`)].join(", ")}`];
    return step.values === other.values ? [] : [`~ ${shown(step)}: other values of ${step.paths.join(", ") || "its properties"}`];
  });
  return [...lines, ...[...after].filter(([id]) => !before.has(id)).map(([, step]) => `+ ${shown(step)}: not in the plan`)];
}

/** How a fresh preview differs from the plan, stack by stack; empty where both would do the same. */
export function planDifferences(planned: PlanFacts, now: PlanFacts): string[] {
  const of = ({ stacks }: PlanFacts) => new Map(stacks.map(({ stack, steps }) => [stack, steps]));
  const [before, after] = [of(planned), of(now)];
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((stack) => {
    const [was, is] = [before.get(stack), after.get(stack)];
    if (was === undefined) return [`${stack}: not in the plan`];
    if (is === undefined) return [`${stack}: in the plan, and not in this run`];
    return stepDifferences(was, is).map((line) => `${stack}: ${line}`);
  });
}
