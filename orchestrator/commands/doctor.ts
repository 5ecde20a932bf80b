import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { readEnv } from "../../common/env";
import { projectRoot } from "../../common/paths";
import { type Arguments, oneOf } from "../arguments";
import { chooseEngine, findOnPath } from "../engine";
import { EXIT, type ExitCode } from "../exit-codes";
import type { Session } from "../session";

export const DOCTOR_OPTIONS = { engine: { type: "string" }, json: { type: "boolean" } } as const;

const PACKAGES = ["command", "kubernetes", "proxmoxve", "vault"] as const;

/** Where the provider of a package comes from, and why: an official plugin, where installed, always wins. */
function providerOf(name: string, engine: "pulumi" | "embedded"): { from: string; why: string } {
  const executable = `pulumi-resource-${name}`;
  const onPath = findOnPath(executable);
  if (onPath !== undefined) return { from: onPath, why: "official plugin on PATH" };
  const plugins = path.join(readEnv("PULUMI_HOME") ?? path.join(os.homedir(), ".pulumi"), "plugins");
  const pattern = new RegExp(`^resource-${name}-v\\d+\\.\\d+\\.\\d+$`);
  const versioned = fs.existsSync(plugins) ? fs.readdirSync(plugins).filter((entry) => pattern.test(entry)) : [];
  const newest = versioned.sort(byVersion).at(-1);
  if (newest !== undefined) return { from: path.join(plugins, newest), why: "official plugin in PULUMI_HOME (where its version is the one asked for)" };
  if (engine === "embedded") return { from: path.join(projectRoot(), "providers", name), why: "no official plugin is installed" };
  return { from: "downloaded by the Pulumi CLI", why: "no official plugin is installed yet" };
}

const byVersion = (a: string, b: string): number => a.localeCompare(b, "en", { numeric: true });

/** Says which engine, providers and tools a run would use, and why. */
export async function doctor(args: Arguments, session: Session): Promise<ExitCode> {
  const engine = chooseEngine(oneOf(args.text("engine"), ["auto", "pulumi", "embedded"], "auto", "--engine"));
  const helm = findOnPath("helm");
  const report = {
    version: 1,
    node: process.version,
    engine: { name: engine.name, why: engine.why },
    providers: Object.fromEntries(PACKAGES.map((name) => [name, providerOf(name, engine.name)])),
    helm: helm ?? "not installed: charts can be installed in the lab only",
  };
  if (args.flag("json")) session.out(`${JSON.stringify(report, null, 2)}\n`);
  else {
    session.out(`node       ${report.node}\nengine     ${engine.name}: ${engine.why}\nhelm       ${report.helm}\n`);
    for (const [name, { from, why }] of Object.entries(report.providers)) session.out(`${name.padEnd(10)} ${from}: ${why}\n`);
  }
  return EXIT.done;
}
