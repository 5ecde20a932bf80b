/** Commands in containers (`kubectl exec`, `kubectl cp`): a shell's own, over the container's files, volumes and environment. */
import * as fs from "node:fs";
import * as path from "node:path";
import { Bash, type CommandName, defineCommand, getCommandNames, InMemoryFs, MountableFs } from "just-bash";
import { parse } from "yaml";
import { z } from "zod";
import { projectRoot } from "../../common/paths";
import { quote } from "../../common/quote";
import type { LabContext } from "../core/world";
import { type KubeObject, StatusError } from "../kubernetes";
import { type JsonMap, listAt, textAt } from "../kubernetes/objects";
import type { CommandResult } from "../kubernetes/pod-programs";
import { CONTAINER_TAR } from "./container-tar";
import { ContainerVolumes } from "./container-volumes";
import type { Kube } from "./kube";
import { environmentOf } from "./pod-starts";

const schema = z.strictObject({ withoutShell: z.array(z.string()), commands: z.array(z.string()) });
let table: z.infer<typeof schema> | undefined;
const shells = (): z.infer<typeof schema> => {
  table ??= schema.parse(parse(fs.readFileSync(path.join(projectRoot(), "lab", "controllers", "data", "shells.yaml"), "utf8")));
  return table;
};

/** An image by a glob over its name without tag and digest. */
export function imageMatches(glob: string, image: string): boolean {
  const plain = image.replace(/@.*$/, "").replace(/:[^:/]*$/, "");
  return new RegExp(`^${glob.replace(/[.+^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*")}$`).test(plain);
}

/** just-bash's own `env` also shows variables that are not exported. */
const ENVIRONMENT = defineCommand("env", async (args, { exportedEnv = {}, origCommand }) => {
  if (args.length > 0) return origCommand?.(args) ?? { stdout: "", stderr: "env: not available\n", exitCode: 127 };
  return {
    stdout: Object.entries(exportedEnv)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(""),
    stderr: "",
    exitCode: 0,
  };
});

/** The commands that just-bash has as programs; `test` and the like are builtins of its shell. */
const ownCommands = (): CommandName[] => getCommandNames().filter((name): name is CommandName => shells().commands.includes(name));

const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** containerd's error for a program that the image does not have. */
const notFound = (command: string): StatusError =>
  new StatusError(
    500,
    "InternalError",
    `Internal error occurred: error executing command in container: failed to exec in container: failed to start exec: OCI runtime exec failed: exec failed: unable to start container process: exec: ${JSON.stringify(command)}: executable file not found in $PATH: unknown`,
  );

/** Where the shell's standard output is kept. */
const OUTPUT_FOLDER = "/dev/shm/lab";

export class Containers {
  readonly #volumes: ContainerVolumes;
  /** The file system of a container without its volumes, by the pod's uid and the container's name. It is removed with the pod. */
  readonly #roots = new Map<string, InMemoryFs>();

  constructor(
    private readonly kube: Kube,
    private readonly ctx: LabContext,
  ) {
    this.#volumes = new ContainerVolumes(kube);
  }

  /**
   * Runs a command to its end.
   * @throws StatusError where the container has no such program, or the lab cannot know
   */
  async run(pod: KubeObject, name: string, command: readonly string[], stdin: Buffer, signal: AbortSignal): Promise<CommandResult> {
    const container = listAt(pod, "spec", "containers").find((candidate) => candidate["name"] === name);
    if (container === undefined) throw new StatusError(400, "BadRequest", `container ${name} of pod ${pod.metadata.name} has ended: it takes no commands`);
    const program = command[0] ?? "";
    const image = String(container["image"]);
    if (shells().withoutShell.some((glob) => imageMatches(glob, image))) throw notFound(program);
    if (!shells().commands.includes(path.posix.basename(program))) throw this.#unknown(image, program);
    const output = new InMemoryFs();
    // just-bash returns text: binary output of a command survives only in a file.
    const line = `${command.map(quote).join(" ")} > ${OUTPUT_FOLDER}/stdout`;
    const shell = this.#shell(pod, container, output);
    const result = await shell.exec(line, { rawScript: true, stdin: stdin.toString("latin1"), stdinKind: "bytes", signal });
    for (const [, missing] of result.stderr.matchAll(/^(?:bash|sh): (?:line \d+: )?(\S+): command not found$/gm)) this.#unknown(image, missing ?? "");
    this.ctx.changed();
    return { stdout: Buffer.from(await output.readFileBuffer("/stdout")), stderr: Buffer.from(result.stderr, "utf8"), exitCode: result.exitCode };
  }

  /** The error for a program that is not one of the shell's commands: the lab does not know what the image has. */
  #unknown(image: string, program: string): StatusError {
    const what = `the program ${program} of the image ${image} is not modelled by the lab`;
    this.ctx.unhandled.add({ system: "kubernetes", target: this.kube.cluster.name, what: `pods/exec: ${what}` });
    return new StatusError(501, "NotImplemented", `${what}. It knows in a container: ${shells().commands.join(", ")}`);
  }

  #shell(pod: KubeObject, container: JsonMap, output: InMemoryFs): Bash {
    const { folders, files } = this.#volumes.of(pod, container);
    const root = this.#rootOf(pod, String(container["name"]));
    root.writeFileSync("/etc/hostname", `${pod.metadata.name}\n`);
    root.writeFileSync("/etc/hosts", `127.0.0.1\tlocalhost\n${textAt(pod, "status", "podIP") ?? ""}\t${pod.metadata.name}\n`);
    for (const [file, content] of files) root.writeFileSync(file, new Uint8Array(content));
    const cwd = textAt(container, "workingDir") ?? "/";
    if (cwd !== "/") root.mkdirSync(cwd, { recursive: true });
    return new Bash({
      fs: new MountableFs({
        base: root,
        mounts: [...folders, [OUTPUT_FOLDER, output] as const].map(([mountPoint, filesystem]) => ({ mountPoint, filesystem })),
      }),
      cwd,
      env: {
        PATH,
        HOME: "/root",
        HOSTNAME: pod.metadata.name,
        KUBERNETES_SERVICE_HOST: "10.43.0.1",
        KUBERNETES_SERVICE_PORT: "443",
        ...environmentOf(this.kube, pod, container),
      },
      commands: ownCommands(),
      customCommands: [CONTAINER_TAR, ENVIRONMENT],
      sleep: (ms) => this.ctx.clock.sleep(ms),
      defenseInDepth: false,
    });
  }

  #rootOf(pod: KubeObject, container: string): InMemoryFs {
    const there = new Set(this.kube.all("v1", "Pod").map(({ metadata }) => metadata.uid));
    for (const key of this.#roots.keys()) if (!there.has(key.split("/")[0])) this.#roots.delete(key);
    this.#volumes.sweep();
    const key = `${pod.metadata.uid}/${container}`;
    const known = this.#roots.get(key);
    if (known !== undefined) return known;
    const found = new InMemoryFs();
    // Writes just-bash's file for each command into the root: with mounted file systems just-bash writes none.
    new Bash({ fs: found, cwd: "/", commands: ownCommands() });
    this.#roots.set(key, found);
    return found;
  }
}
