/** What a pod's containers printed, and what they have no answer for: only some programs of the lab print anything. */
import type { ServerResponse } from "node:http";
import { type KubeObject, listAt, textAt } from "./objects";
import { badRequest, StatusError } from "./status";

/** Lines of the program in a pod; undefined where the pod is only simulated. */
export type PodOutput = (namespace: string | undefined, name: string) => readonly string[] | undefined;

/** How often a client that follows is told what is new, in milliseconds. */
const FOLLOW_MS = 250;

/** @throws StatusError 400 as a kubelet gives it */
function containerOf(pod: KubeObject, wanted: string | null): string {
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

const numberOf = (text: string | null, name: string): number | undefined => {
  if (text === null) return undefined;
  if (!/^\d+$/.test(text)) throw badRequest(`strconv.ParseInt: parsing "${text}": invalid syntax (${name})`);
  return Number(text);
};

/**
 * Answers `pods/log`.
 * @param alive whether the pod is still there, for a client that follows
 * @returns a function that ends a followed answer
 */
export function sendLog(pod: KubeObject, query: URLSearchParams, output: PodOutput, response: ServerResponse, alive: () => boolean): () => void {
  const container = containerOf(pod, query.get("container"));
  const tail = numberOf(query.get("tailLines"), "tailLines");
  const { namespace, name } = pod.metadata;
  const lines = (): readonly string[] => output(namespace, name) ?? [`[lab] the container ${container} of pod ${name} is simulated: it prints nothing`];
  const at = new Date().toISOString();
  const show = (some: readonly string[]): string => some.map((line) => `${query.get("timestamps") === "true" ? `${at} ` : ""}${line}\n`).join("");
  response.writeHead(200, { "content-type": "text/plain", "cache-control": "no-cache, private" });
  const first = lines();
  response.write(show(tail === undefined ? first : tail === 0 ? [] : first.slice(-tail)));
  if (query.get("follow") !== "true") {
    response.end();
    return () => undefined;
  }
  let shown = first.length;
  const timer = setInterval(() => {
    const now = lines();
    if (now.length > shown) response.write(show(now.slice(shown)));
    shown = now.length;
    if (!alive()) end();
  }, FOLLOW_MS);
  const end = (): void => {
    clearInterval(timer);
    response.end();
  };
  response.on("close", end);
  return end;
}

/** What a client is told that wants to be inside a pod of the lab. */
export const simulated = (pod: KubeObject, subresource: string): StatusError =>
  new StatusError(
    501,
    "NotImplemented",
    `pods/${subresource} is not modelled by the lab: pod "${pod.metadata.name}" is simulated and runs no commands. What a program of the lab serves is reached by its route.`,
  );
