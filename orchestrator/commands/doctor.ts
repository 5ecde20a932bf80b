import * as path from "node:path";
import { type Arguments, oneOf } from "../arguments";
import { chooseEngine, findOnPath } from "../engine";
import { EXIT, type ExitCode } from "../exit-codes";
import { chooseProvider, namedPlugins, PACKAGE_NAMES } from "../provider-plugins";
import type { Session } from "../session";
import { siteFolder } from "../site";

export const DOCTOR_OPTIONS = { lab: { type: "boolean" }, engine: { type: "string" }, json: { type: "boolean" } } as const;

/** Says which engine, providers and tools a run would use, and why. */
export async function doctor(args: Arguments, session: Session): Promise<ExitCode> {
  const engine = chooseEngine(oneOf(args.text("engine"), ["auto", "pulumi", "embedded"], "auto", "--engine"));
  const helm = findOnPath("helm");
  const named = namedPlugins(path.join(siteFolder(args.flag("lab")), "Pulumi.yaml"));
  const report = {
    version: 1,
    node: process.version,
    engine: { name: engine.name, why: engine.why },
    providers: Object.fromEntries(PACKAGE_NAMES.map((name) => [name, chooseProvider(name, engine.name, named)])),
    helm: helm ?? "not installed: charts can be installed in the lab only",
  };
  if (args.flag("json")) session.out(`${JSON.stringify(report, null, 2)}\n`);
  else {
    session.out(`node       ${report.node}\nengine     ${engine.name}: ${engine.why}\nhelm       ${report.helm}\n`);
    for (const [name, { from, why }] of Object.entries(report.providers)) session.out(`${name.padEnd(10)} ${from}: ${why}\n`);
  }
  return EXIT.done;
}
