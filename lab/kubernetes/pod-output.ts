/** Output of a pod's containers: only some programs of the lab print anything. */
import type { ServerResponse } from "node:http";
import type { KubeObject } from "./objects";
import { containerOf, type PodOutput } from "./pod-programs";
import { badRequest } from "./status";

/** How often a following client gets new lines, in milliseconds. */
const FOLLOW_MS = 250;

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
