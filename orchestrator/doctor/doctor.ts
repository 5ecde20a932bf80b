import * as path from "node:path";
import { findOnPath } from "../../common/executables";
import { projectRoot } from "../../common/paths";
import type { Arguments } from "../cli/arguments";
import { EXIT, type ExitCode } from "../cli/exit-codes";
import type { Session } from "../cli/session";
import { type Engine, engineOf } from "../target/engine";
import { labDir, runningLab } from "../target/lab-client";
import { describeProgram, type Program } from "../target/program";
import { chooseProvider, namedPlugins, PACKAGE_NAMES } from "../target/provider-plugins";
import { openSite, siteFolder } from "../target/site";
import { askHomelab } from "./ask-homelab";
import { type Check, runChecks } from "./doctor-checks";

/** The versions of Node that all tests run on. Every entry script checks them before anything else. */
const heldVersions = (): number[] => (require(path.join(projectRoot(), "build", "node-version.cjs")) as { HELD: number[] }).HELD;

function describeNode(version: string, held: readonly number[]): string {
  const tested = held.includes(Number(version.slice(1).split(".")[0]));
  return `${version}: ${tested ? "tested" : "not tested"} (the tests run on ${held.join(", ")})`;
}

const MARKS: Readonly<Record<Check["verdict"], string>> = { ok: "✔", look: "!", wrong: "✘" };

/** The folder of runs; the lab itself need not run. */
const runsDirOf = (isLab: boolean): string => (isLab ? path.join(labDir(), "runs") : path.join(projectRoot(), ".homelab", "runs"));

/** Where one of these checks fails, neither a run nor the doctor can ask the homelab. */
const NEEDED = new Set(["program", "secrets", "state"]);

/** The homelab itself, unless only this machine is asked about, or it cannot be asked. */
async function probes(args: Arguments, engine: Engine, program: Promise<Program>, local: readonly Check[]): Promise<Check[]> {
  if (args.flag("local")) return [];
  const isLab = args.flag("lab");
  if (isLab && (await runningLab()) === undefined)
    return [{ name: "lab", verdict: "look", says: "is not running: nothing in it was asked", next: "homelab lab start" }];
  const missing = local.filter(({ name, verdict }) => NEEDED.has(name) && verdict === "wrong").map(({ name }) => name);
  if (missing.length > 0)
    return [
      { name: "homelab", verdict: "look", says: `was not asked: ${missing.join(" and ")} come first`, next: "correct the lines above, and run this again" },
    ];
  return askHomelab(await openSite(isLab), engine, program);
}

/** Says which engine, providers and tools a run would use, and why, and what would make it fail. @returns 1 where something would */
export async function doctor(args: Arguments, session: Session): Promise<ExitCode> {
  const engine = engineOf(args);
  const helm = findOnPath("helm");
  const program = describeProgram();
  program.catch(() => undefined);
  const local = await runChecks(program, runsDirOf(args.flag("lab")), args.flag("lab"), session);
  const named = namedPlugins(path.join(siteFolder(args.flag("lab")), "Pulumi.yaml"));
  const report = {
    version: 1,
    node: process.version,
    heldNodeVersions: heldVersions(),
    engine: { name: engine.name, why: engine.instead === undefined ? engine.why : `${engine.why} (${engine.instead})` },
    providers: Object.fromEntries(PACKAGE_NAMES.map((name) => [name, chooseProvider(name, engine.name, named)])),
    helm: helm ?? "not installed: charts can be installed in the lab only",
    checks: [...local, ...(await probes(args, engine, program, local))],
  };
  if (args.flag("json")) session.out(`${JSON.stringify(report, null, 2)}\n`);
  else {
    session.out(
      `node       ${describeNode(report.node, report.heldNodeVersions)}\nengine     ${report.engine.name}: ${report.engine.why}\nhelm       ${report.helm}\n`,
    );
    for (const [name, { from, why }] of Object.entries(report.providers)) session.out(`${name.padEnd(10)} ${from}: ${why}\n`);
    const width = Math.min(30, Math.max(...report.checks.map(({ name }) => name.length)));
    for (const { name, verdict, says, next } of report.checks)
      session.out(`${MARKS[verdict]} ${name.padEnd(width)} ${says}\n${next === undefined ? "" : `    next: ${next}\n`}`);
  }
  return report.checks.some(({ verdict }) => verdict === "wrong") ? EXIT.failed : EXIT.done;
}
