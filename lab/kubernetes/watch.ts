import type { ServerResponse } from "node:http";
import type { WatchEvent } from "./object-table";
import type { KubeObject } from "./objects";
import type { ResourcePath } from "./request";
import { StatusError } from "./status";
import type { ObjectStore } from "./store";
import { partial, table } from "./tables";

interface WatchRequest {
  store: ObjectStore;
  path: ResourcePath;
  key: string;
  selected: (object: KubeObject) => boolean;
  url: URL;
  response: ServerResponse;
  as: "Table" | "PartialObjectMetadata" | undefined;
  now: () => number;
}

/** Streams changes as JSON lines until the client disconnects, the time is over, or the returned function is called. */
export function watch({ store, path, key, selected, url, response, as, now }: WatchRequest): () => void {
  const from = url.searchParams.get("resourceVersion") ?? "";
  const name = path.name;
  const wanted = (object: KubeObject): boolean => selected(object) && (name === undefined || object.metadata.name === name);
  response.writeHead(200, { "content-type": "application/json", "transfer-encoding": "chunked", "cache-control": "no-cache, private" });
  // Headers go at once: a watch on nothing must not look like a hanging server.
  response.flushHeaders();
  const show = (object: KubeObject): unknown => {
    const apiVersion = path.type.group === "" ? path.type.version : `${path.type.group}/${path.type.version}`;
    const shown = { ...object, apiVersion };
    return as === "Table"
      ? table(path.type, [shown], { resourceVersion: object.metadata.resourceVersion }, now())
      : as === "PartialObjectMetadata"
        ? partial(shown)
        : shown;
  };
  const send = (type: string, object: unknown): void => {
    response.write(`${JSON.stringify({ type, object })}\n`);
  };
  const pass = (event: WatchEvent): void => {
    const is = wanted(event.object);
    const was = event.previous !== undefined && wanted(event.previous);
    if (event.type === "DELETED" ? !was : !is && !was) return;
    // An object that a selector no longer covers is gone for this watcher, and the other way round.
    const type = event.type === "DELETED" || !is ? "DELETED" : was ? "MODIFIED" : "ADDED";
    send(type, show(event.object));
  };
  const initial = url.searchParams.get("sendInitialEvents") === "true";
  if (initial || from === "" || from === "0") for (const object of store.list(path.type, path.namespace).filter(wanted)) send("ADDED", show(object));
  else {
    const missed = store.since(Number(from), key);
    if (missed === undefined) {
      send("ERROR", new StatusError(410, "Expired", `too old resource version: ${from} (${store.resourceVersion})`).body());
      response.end();
      return () => undefined;
    }
    for (const event of missed) pass(event);
  }
  // How a client that lists by watching knows that it has seen everything; it would wait for ever.
  if (initial) {
    const apiVersion = path.type.group === "" ? path.type.version : `${path.type.group}/${path.type.version}`;
    const metadata = { resourceVersion: store.resourceVersion, annotations: { "k8s.io/initial-events-end": "true" } };
    send("BOOKMARK", { kind: path.type.kind, apiVersion, metadata });
  }
  const stop = store.onChange((event, changedKey) => {
    if (changedKey === key) pass(event);
  });
  const seconds = Number(url.searchParams.get("timeoutSeconds") ?? 0);
  const timer = seconds > 0 ? setTimeout(() => end(), seconds * 1000) : undefined;
  const end = (): void => {
    clearTimeout(timer);
    stop();
    response.end();
  };
  return end;
}
