/** Containers that podman runs as units: what a `.container` file says, and the programs that the lab has for some images. */
import type { Stoppable } from "../core/world";
import { startPihole } from "../pihole";
import type { Machine } from "./machine";

/** What the lab understands of a `.container` file; podman's generator refuses a key of [Container] that it does not know. */
const KEYS = new Set(["Image", "ContainerName", "Network", "AddCapability", "Volume", "EnvironmentFile", "Environment"]);

interface Container {
  image: string;
  environment: Record<string, string>;
  /** Path in the container to path on the host. */
  volumes: Map<string, string>;
}

/** A word of a unit file, without the quotes around it. */
const unquoted = (text: string): string => /^"(.*)"$/.exec(text)?.[1] ?? text;

function assign(environment: Record<string, string>, text: string): void {
  const at = text.indexOf("=");
  if (at > 0) environment[text.slice(0, at)] = text.slice(at + 1);
}

/** @returns the container, or why podman does not make it */
async function readContainer(machine: Machine, text: string): Promise<Container | string> {
  const container: Container = { image: "", environment: {}, volumes: new Map() };
  let section = "";
  let network = "";
  for (const raw of text.replace(/\\\n\s*/g, " ").split("\n")) {
    const line = raw.trim();
    if (line === "" || line.startsWith("#") || line.startsWith(";")) continue;
    const header = /^\[(\w+)\]$/.exec(line)?.[1];
    if (header !== undefined) section = header;
    if (header !== undefined || section !== "Container") continue;
    const [, key = line, value = ""] = /^(\w+)=(.*)$/.exec(line) ?? [];
    if (!KEYS.has(key)) {
      machine.ctx.unhandled.add({ system: "ssh", target: machine.spec.hostname, what: `podman: the key ${key} of a .container file is not modelled` });
      return `unsupported key '${key}' in group 'Container'`;
    }
    if (key === "Image") container.image = value;
    if (key === "Network") network = value;
    if (key === "Volume") container.volumes.set(value.split(":")[1] ?? "", value.split(":")[0] ?? "");
    if (key === "Environment") assign(container.environment, unquoted(value));
    if (key === "EnvironmentFile") {
      const file = await machine.disk.read(value);
      if (file === undefined) return `open ${value}: no such file or directory`;
      for (const each of file.split("\n")) assign(container.environment, each);
    }
  }
  if (network !== "host") {
    machine.ctx.unhandled.add({ system: "ssh", target: machine.spec.hostname, what: `podman: Network=${network} is not modelled` });
    return `the lab's podman has the network "host" only`;
  }
  return container;
}

const PIHOLE_DATA = "/etc/pihole";

async function startProgram(machine: Machine, { image, environment, volumes }: Container): Promise<Stoppable | string> {
  const { ctx, spec, disk } = machine;
  if (!/^docker\.io\/pihole\/pihole[:@]/.test(image)) {
    ctx.unhandled.add({ system: "ssh", target: spec.hostname, what: `podman: the lab has no program for the image ${image}` });
    return `initializing source docker://${image}: reading manifest: manifest unknown`;
  }
  const data = volumes.get(PIHOLE_DATA);
  if (data === undefined) return `${PIHOLE_DATA} is no volume: the lab keeps Pi-hole's data on the host only`;
  return startPihole({
    hostname: spec.hostname,
    address: spec.address,
    ctx,
    environment,
    folder: {
      read: (name) => disk.read(`${data}/${name}`),
      write: (name, content) => disk.install(`${data}/${name}`, content),
      list: async (folder) => ((await disk.inner.exists(`${data}/${folder}`)) ? disk.inner.readdir(`${data}/${folder}`) : []),
    },
  });
}

/** Starts the container of a unit. @returns the reason why it does not come up, or undefined */
export async function startContainer(machine: Machine, unit: string, text: string): Promise<string | undefined> {
  try {
    const container = await readContainer(machine, text);
    const started = typeof container === "string" ? container : await startProgram(machine, container);
    if (typeof started === "string") return `Error: ${started}`;
    machine.containers.set(unit, started);
    return undefined;
  } catch (error) {
    // The program's last message, such as a setting that it refuses or a port that is taken.
    return error instanceof Error ? error.message : String(error);
  }
}

/** Stops the container of a unit, if it has one. */
export async function stopContainer(machine: Machine, unit: string): Promise<void> {
  const running = machine.containers.get(unit);
  machine.containers.delete(unit);
  await running?.stop();
}

/** Power off. */
export async function stopContainers(machine: Machine): Promise<void> {
  for (const unit of [...machine.containers.keys()]) await stopContainer(machine, unit);
}
