/** What the API asks of a cluster's pods: what they printed, what listens in them, and to run a command. */
import { type KubeObject, listAt, textAt } from "./objects";
import { badRequest } from "./status";

/** Lines of the program in a pod; undefined where the pod is only simulated. */
export type PodOutput = (namespace: string | undefined, name: string) => readonly string[] | undefined;

export interface CommandResult {
  stdout: Buffer;
  stderr: Buffer;
  exitCode: number;
}

/** @returns the local port of what listens there, or why there is nothing */
export type PortLookup = (pod: KubeObject, port: number) => { port: number } | { refused: string };

export interface PodPrograms {
  output: PodOutput;
  portOf: PortLookup;
  /** @throws StatusError where the command cannot be started */
  run(pod: KubeObject, container: string, command: readonly string[], stdin: Buffer, signal: AbortSignal): Promise<CommandResult>;
}

/**
 * The container that a request is about.
 * @throws StatusError 400 as a kubelet gives it
 */
export function containerOf(pod: KubeObject, wanted: string | null): string {
  const names = ["initContainers", "containers"].flatMap((key) => listAt(pod, "spec", key).map((container) => String(container["name"])));
  const own = listAt(pod, "spec", "containers").map((container) => String(container["name"]));
  const { name } = pod.metadata;
  const marked = pod.metadata.annotations?.["kubectl.kubernetes.io/default-container"];
  if (wanted === null && own.length > 1 && marked === undefined)
    throw badRequest(`a container name must be specified for pod ${name}, choose one of: [${own.join(" ")}]`);
  const container = wanted ?? marked ?? own[0] ?? "";
  if (!names.includes(container)) throw badRequest(`container ${container} is not valid for pod ${name}`);
  const waiting = listAt(pod, "status", "containerStatuses").find((status) => status["name"] === container);
  const reason = textAt(waiting, "state", "waiting", "reason");
  if (waiting === undefined || reason !== undefined)
    throw badRequest(`container "${container}" in pod "${name}" is waiting to start: ${reason ?? "ContainerCreating"}`);
  return container;
}
