/** Requests that read: one object, a list, a watch. */
import { type Answers, type ApiServerOptions, accepts, type Call } from "./call";
import { listAnswer } from "./list-answer";
import type { KubeObject } from "./objects";
import type { OpenAnswers } from "./open-answers";
import type { ResourcePath } from "./request";
import { storageKey } from "./resource-types";
import { scaleOf } from "./scale";
import { fieldSelector, labelSelector } from "./selectors";
import { watch } from "./watch";

/** Whether the request's selectors and namespace select an object. */
export function selected({ url }: Call, { type, namespace }: ResourcePath): (object: KubeObject) => boolean {
  const labels = labelSelector(url.searchParams.get("labelSelector") ?? "");
  const fields = fieldSelector(url.searchParams.get("fieldSelector") ?? "", type.kind);
  return (object) => (namespace === undefined || object.metadata.namespace === namespace) && labels(object) && fields(object);
}

export class Reads {
  constructor(
    private readonly options: ApiServerOptions,
    private readonly answers: Answers,
    private readonly open: OpenAnswers,
  ) {}

  get(call: Call, path: ResourcePath, name: string): void {
    const object = this.options.store.get(path.type, path.namespace, name);
    this.answers.sendObject(call, path, 200, path.subresource === "scale" ? scaleOf(object) : object);
  }

  list(call: Call, path: ResourcePath): void {
    const { store, ctx } = this.options;
    const { url, response } = call;
    const chosen = selected(call, path);
    if (["1", "true"].includes(url.searchParams.get("watch") ?? "")) {
      const end = watch({ store, path, key: storageKey(path.type), selected: chosen, url, response, as: accepts(call), now: () => ctx.clock.now() });
      // The answer ends with what the client has got so far.
      if (ctx.faults.take("kubernetes.watch-cut", this.options.cluster)) setImmediate(() => call.request.socket.destroy());
      const ended = this.open.add(end);
      response.on("close", () => {
        ended();
        end();
      });
      return;
    }
    this.answers.send(
      response,
      200,
      listAnswer(path.type, store.list(path.type, path.namespace).filter(chosen), store.resourceVersion, url, accepts(call), ctx.clock.now()),
    );
  }
}
