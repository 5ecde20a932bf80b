import * as path from "node:path";
import { findOnPath } from "../../common/executables";
import { projectRoot } from "../../common/paths";
import type { Arguments } from "../cli/arguments";
import { EXIT, type ExitCode } from "../cli/exit-codes";
import type { Session } from "../cli/session";
import { engineOf } from "../target/engine";
import { labDir } from "../target/lab-client";
import { chooseProvider, namedPlugins, PACKAGE_NAMES } from "../target/provider-plugins";
import { siteFolder } from "../target/site";
import { type Check, runChecks } from "./doctor-checks";

/** The versions of Node that run all tests: what each entry checks before anything else. */
const heldVersions = (): number[] => (require(path.join(projectRoot(), "build", "node-version.cjs")) as { HELD: number[] }).HELD;

function describeNode(version: string, held: readonly number[]): string {
  const tested = held.includes(Number(version.slice(1).split(".")[0]));
  return `${version}: ${tested ? "held" : "not held"} (the tests run on ${held.join(", ")})`;
}

const MARKS: Readonly<Record<Check["verdict"], string>> = { ok: "✔", look: "!", wrong: "✘" };

/** The lab need not run. */
const runsDirOf = (isLab: boolean): string => (isLab ? path.join(labDir(), "runs") : path.join(projectRoot(), ".homelab", "runs"));

/** Says which engine, providers and tools a run would use, and why, and what would make it fail. @returns 1 where something would */
export async function doctor(args: Arguments, session: Session): Promise<ExitCode> {
  const engine = engineOf(args);
  const helm = findOnPath("helm");
  const named = namedPlugins(path.join(siteFolder(args.flag("lab")), "Pulumi.yaml"));
  const report = {
    version: 1,
    node: process.version,
    heldNodeVersions: heldVersions(),
    engine: { name: engine.name, why: engine.instead === undefined ? engine.why : `${engine.why} (${engine.instead})` },
    providers: Object.fromEntries(PACKAGE_NAMES.map((name) => [name, chooseProvider(name, engine.name, named)])),
    helm: helm ?? "not installed: charts can be installed in the lab only",
    checks: await runChecks(runsDirOf(args.flag("lab")), args.flag("lab"), session),
  };
  if (args.flag("json")) session.out(`${JSON.stringify(report, null, 2)}\n`);
  else {
    session.out(
      `node       ${describeNode(report.node, report.heldNodeVersions)}\nengine     ${report.engine.name}: ${report.engine.why}\nhelm       ${report.helm}\n`,
    );
    for (const [name, { from, why }] of Object.entries(report.providers)) session.out(`${name.padEnd(10)} ${from}: ${why}\n`);
    for (const { name, verdict, says, next } of report.checks)
      session.out(`${MARKS[verdict]} ${name.padEnd(9)} ${says}\n${next === undefined ? "" : `    next: ${next}\n`}`);
  }
  return report.checks.some(({ verdict }) => verdict === "wrong") ? EXIT.failed : EXIT.done;
}
