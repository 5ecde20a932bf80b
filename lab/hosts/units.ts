import * as path from "node:path/posix";
import { stopCluster } from "./cluster";
import { startContainer, stopContainer } from "./containers";
import { isK3sServer, startK3s } from "./k3s";
import { KUBELET, startKubelet } from "./kubelet";
import { log, type Machine } from "./machine";

const UNIT_FOLDERS = ["/etc/systemd/system", "/run/systemd/system", "/usr/lib/systemd/system"];
const WANTS = "/etc/systemd/system/multi-user.target.wants";

export const withSuffix = (name: string): string => (/\.(service|timer|socket|target|mount|slice)$/.test(name) ? name : `${name}.service`);

export interface UnitFile {
  path: string;
  text: string;
}

export async function findUnit(machine: Machine, name: string): Promise<UnitFile | undefined> {
  for (const folder of UNIT_FOLDERS) {
    const text = await machine.disk.read(`${folder}/${withSuffix(name)}`);
    if (text !== undefined) return { path: `${folder}/${withSuffix(name)}`, text };
  }
  return generatedUnit(machine, withSuffix(name));
}

const CONTAINERS = "/etc/containers/systemd";
const GENERATED = "/run/systemd/generator/";

/** What podman's generator makes of a `.container` file. */
async function generatedUnit(machine: Machine, unit: string): Promise<UnitFile | undefined> {
  const text = machine.packages.has("podman") ? await machine.disk.read(`${CONTAINERS}/${unit.replace(/\.service$/, ".container")}`) : undefined;
  if (text === undefined) return undefined;
  return { path: `${GENERATED}${unit}`, text: `${text}\n[Service]\nExecStart=/usr/bin/podman run ${unitValue(text, "Image") ?? ""}\n` };
}

/** The value of the last `key=` line of a unit file, continuation lines joined. */
export function unitValue(text: string, key: string): string | undefined {
  const joined = text.replace(/\\\n\s*/g, " ");
  return joined
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line.startsWith(`${key}=`))
    .at(-1)
    ?.slice(key.length + 1)
    .trim();
}

export type StartResult = { ok: true } | { ok: false; message: string };

/** Starts a unit, as systemd does: nothing happens when it runs already. */
export async function startUnit(machine: Machine, name: string): Promise<StartResult> {
  const unit = withSuffix(name);
  const file = await findUnit(machine, unit);
  if (!file) return { ok: false, message: `Failed to start ${unit}: Unit ${unit} not found.` };
  if (machine.units.get(unit)?.state === "active") return { ok: true };
  machine.effects += 1;
  const failure = await run(machine, file);
  machine.units.set(unit, { state: failure === undefined ? "active" : "failed", since: machine.ctx.clock.now(), mainPid: 500 + machine.units.size });
  machine.ctx.changed();
  if (failure === undefined) {
    log(machine, unit, `Started ${unitValue(file.text, "Description") ?? unit}.`);
    return { ok: true };
  }
  log(machine, unit, failure);
  log(machine, unit, `${unit}: Failed with result 'exit-code'.`);
  return {
    ok: false,
    message: `Job for ${unit} failed because the control process exited with error code.\nSee "systemctl status ${unit}" and "journalctl -xeu ${unit}" for details.`,
  };
}

/** The reason why the unit's process does not come up, or undefined. */
async function run(machine: Machine, file: UnitFile): Promise<string | undefined> {
  const command = unitValue(file.text, "ExecStart");
  if (command === undefined) return undefined;
  const binary = command.replace(/^[-+!@:]+/, "").split(/\s+/)[0] ?? "";
  if (!(await machine.disk.inner.exists(binary))) return `Unable to locate executable '${binary}': No such file or directory`;
  if (((await machine.disk.inner.stat(binary)).mode & 0o111) === 0) return `Unable to execute '${binary}': Permission denied`;
  if (isK3sServer(command)) return startK3s(machine, command);
  if (file.path.startsWith(GENERATED)) return startContainer(machine, path.basename(file.path), file.text);
  if (path.basename(file.path) === KUBELET) await startKubelet(machine);
  return undefined;
}

/** @returns false when there is no such unit */
export async function stopUnit(machine: Machine, name: string): Promise<boolean> {
  const unit = withSuffix(name);
  const file = await findUnit(machine, unit);
  if (!file && !machine.units.has(unit)) return false;
  if (machine.units.get(unit)?.state === "active") {
    machine.effects += 1;
    const command = file && unitValue(file.text, "ExecStart");
    if (unit === KUBELET || (command === undefined ? unit === "k3s.service" : isK3sServer(command))) await stopCluster(machine);
    await stopContainer(machine, unit);
    log(machine, unit, `Stopped ${unit}.`);
  }
  machine.units.delete(unit);
  machine.ctx.changed();
  return true;
}

export async function isEnabled(machine: Machine, name: string): Promise<boolean> {
  return machine.disk.existsAtAll(`${WANTS}/${withSuffix(name)}`);
}

export async function enableUnit(machine: Machine, name: string): Promise<UnitFile | undefined> {
  const file = await findUnit(machine, name);
  if (!file || (await isEnabled(machine, name))) return file;
  await machine.disk.makeFolder(WANTS);
  const link = `${WANTS}/${withSuffix(name)}`;
  await machine.disk.inner.symlink(file.path, link);
  machine.disk.noteNew(link, { uid: 0, gid: 0 });
  return file;
}

export async function disableUnit(machine: Machine, name: string): Promise<void> {
  await machine.disk.remove(`${WANTS}/${withSuffix(name)}`);
}

/** What systemd starts when the host comes up. */
export async function startEnabledUnits(machine: Machine): Promise<void> {
  if (machine.packages.has("podman") && (await machine.disk.inner.exists(CONTAINERS))) {
    for (const name of await machine.disk.inner.readdir(CONTAINERS))
      if (name.endsWith(".container")) await startUnit(machine, name.replace(/\.container$/, ".service"));
  }
  if (!(await machine.disk.inner.exists(WANTS))) return;
  for (const unit of (await machine.disk.inner.readdir(WANTS)).sort()) await startUnit(machine, unit);
}
