import { fail, type HostCommand, type Invocation, ok, parseFlags, unmodelled } from "../command";
import { log } from "../machine";
import { disableUnit, enableUnit, findUnit, isEnabled, startUnit, stopUnit, unitValue, withSuffix } from "../units";

const NEEDS_ROOT = new Set(["start", "stop", "restart", "reload", "enable", "disable", "daemon-reload", "mask", "unmask", "reload-or-restart", "try-restart"]);

const systemctl: HostCommand = async (run) => {
  const { flags, rest, unknown } = parseFlags(
    run.args,
    ["p", "property", "n", "lines"],
    ["q", "quiet", "now", "no-pager", "l", "full", "value", "no-block", "f", "force", "wait"],
  );
  if (unknown) return unmodelled(run, "systemctl", unknown);
  const [verb = "list-units", ...names] = rest;
  if (NEEDS_ROOT.has(verb) && run.who.uid !== 0) return fail(`Failed to ${verb} ${names.join(" ")}: Interactive authentication required.`, 4);
  const quiet = flags.has("q") || flags.has("quiet");
  switch (verb) {
    case "daemon-reload":
    case "daemon-reexec":
      return ok();
    case "is-active":
      return states(run, names, quiet, 3, async (unit) => run.machine.units.get(withSuffix(unit))?.state ?? "inactive", "active");
    case "is-failed":
      return states(run, names, quiet, 1, async (unit) => run.machine.units.get(withSuffix(unit))?.state ?? "inactive", "failed");
    case "is-enabled":
      return isEnabledVerb(run, names, quiet);
    case "is-system-running":
      return ok("running\n");
    case "start":
    case "restart":
    case "reload-or-restart":
      return start(run, verb, names, verb !== "start");
    case "try-restart":
      return start(
        run,
        verb,
        names.filter((name) => run.machine.units.has(withSuffix(name))),
        true,
      );
    case "reload":
      return reload(run, names);
    case "stop":
      return stop(run, names);
    case "enable":
      return enable(run, names, flags.has("now"));
    case "disable":
      return disable(run, names, flags.has("now"));
    case "status":
      return status(run, names[0] ?? "");
    case "show":
      return show(run, names[0] ?? "", (flags.get("p") ?? flags.get("property"))?.flatMap((p) => p.split(",")) ?? [], flags.has("value"));
    case "cat": {
      const file = await findUnit(run.machine, names[0] ?? "");
      return file ? ok(`# ${file.path}\n${file.text}`) : fail(`No files found for ${withSuffix(names[0] ?? "")}.`);
    }
    default:
      return unmodelled(run, "systemctl", verb);
  }
};

async function states(run: Invocation, names: string[], quiet: boolean, code: number, get: (unit: string) => Promise<string>, wanted: string) {
  const found = await Promise.all(names.map(get));
  const missing = await Promise.all(names.map(async (name) => (await findUnit(run.machine, name)) === undefined));
  const exitCode = found.some((state) => state === wanted) ? 0 : missing.every(Boolean) && code === 3 ? 4 : code;
  return { stdout: quiet ? "" : `${found.join("\n")}\n`, stderr: "", exitCode };
}

async function isEnabledVerb(run: Invocation, names: string[], quiet: boolean) {
  let stdout = "";
  let good = false;
  for (const name of names) {
    const file = await findUnit(run.machine, name);
    if (!file) return { stdout, stderr: quiet ? "" : `Failed to get unit file state for ${withSuffix(name)}: No such file or directory\n`, exitCode: 4 };
    const enabled = await isEnabled(run.machine, name);
    good ||= enabled || !file.text.includes("[Install]");
    stdout += `${enabled ? "enabled" : file.text.includes("[Install]") ? "disabled" : "static"}\n`;
  }
  return { stdout: quiet ? "" : stdout, stderr: "", exitCode: good ? 0 : 1 };
}

async function start(run: Invocation, verb: string, names: string[], stopFirst: boolean) {
  for (const name of names) {
    if (stopFirst) await stopUnit(run.machine, name);
    const result = await startUnit(run.machine, name);
    if (!result.ok) return fail(result.message.replace(/^Failed to start/, `Failed to ${verb}`), result.message.includes("not found") ? 5 : 1);
  }
  return ok();
}

async function reload(run: Invocation, names: string[]) {
  for (const name of names) {
    const unit = withSuffix(name);
    if (run.machine.units.get(unit)?.state !== "active") return fail(`${unit} is not active, cannot reload.`, 1);
    run.machine.effects += 1;
    log(run.machine, unit, `Reloaded ${unit}.`);
  }
  return ok();
}

async function stop(run: Invocation, names: string[]) {
  for (const name of names)
    if (!(await stopUnit(run.machine, name))) return fail(`Failed to stop ${withSuffix(name)}: Unit ${withSuffix(name)} not loaded.`, 5);
  return ok();
}

async function enable(run: Invocation, names: string[], now: boolean) {
  let stderr = "";
  for (const name of names) {
    const was = await isEnabled(run.machine, name);
    const file = await enableUnit(run.machine, name);
    if (!file) return fail(`Failed to enable unit: Unit file ${withSuffix(name)} does not exist.`);
    if (!was) stderr += `Created symlink /etc/systemd/system/multi-user.target.wants/${withSuffix(name)} → ${file.path}.\n`;
  }
  const result = now ? await start(run, "start", names, false) : ok();
  return { ...result, stderr: stderr + result.stderr };
}

async function disable(run: Invocation, names: string[], now: boolean) {
  for (const name of names) await disableUnit(run.machine, name);
  return now ? stop(run, names) : ok();
}

async function status(run: Invocation, name: string) {
  const unit = withSuffix(name);
  const file = await findUnit(run.machine, unit);
  if (!file) return fail(`Unit ${unit} could not be found.`, 4);
  const running = run.machine.units.get(unit);
  const active = running?.state === "active" ? "active (running)" : running ? "failed (Result: exit-code)" : "inactive (dead)";
  const enabled = (await isEnabled(run.machine, unit)) ? "enabled" : "disabled";
  const text = `● ${unit} - ${unitValue(file.text, "Description") ?? unit}\n     Loaded: loaded (${file.path}; ${enabled}; preset: enabled)\n     Active: ${active}\n`;
  return { stdout: text, stderr: "", exitCode: running?.state === "active" ? 0 : 3 };
}

async function show(run: Invocation, name: string, properties: string[], valueOnly: boolean) {
  const unit = withSuffix(name);
  const file = await findUnit(run.machine, unit);
  const running = run.machine.units.get(unit);
  const values: Record<string, string> = {
    ActiveState: running?.state ?? "inactive",
    SubState: running?.state === "active" ? "running" : running ? "failed" : "dead",
    LoadState: file ? "loaded" : "not-found",
    UnitFileState: file ? ((await isEnabled(run.machine, unit)) ? "enabled" : "disabled") : "",
    MainPID: String(running?.state === "active" ? running.mainPid : 0),
    NRestarts: "0",
    FragmentPath: file?.path ?? "",
  };
  const unknown = properties.find((p) => values[p] === undefined);
  if (unknown !== undefined || properties.length === 0) return unmodelled(run, "systemctl show", unknown ?? "without -p");
  return ok(properties.map((p) => `${valueOnly ? "" : `${p}=`}${values[p]}\n`).join(""));
}

export const SYSTEMCTL_COMMANDS: Record<string, HostCommand> = { systemctl };
