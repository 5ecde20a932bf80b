import type { Machine } from "./machine";

/** What systemd-modules-load and systemd-sysctl do when the host comes up: modules first, since settings may be theirs. */
export async function applyKernelFiles(machine: Machine): Promise<void> {
  for (const line of await lines(machine, "/etc/modules-load.d")) machine.kernel.modules.add(line.replaceAll("-", "_"));
  for (const line of await lines(machine, "/etc/sysctl.d")) {
    const [key = "", value = ""] = line.split("=");
    machine.kernel.sysctls.set(key.trim(), value.trim());
  }
}

async function lines(machine: Machine, folder: string): Promise<string[]> {
  const { inner } = machine.disk;
  if (!(await inner.exists(folder))) return [];
  const names = (await inner.readdir(folder)).filter((name) => name.endsWith(".conf")).sort();
  const texts = await Promise.all(names.map((name) => inner.readFile(`${folder}/${name}`)));
  return texts.flatMap((text) => text.split("\n").map((line) => line.trim())).filter((line) => line !== "" && !/^[#;]/.test(line));
}
