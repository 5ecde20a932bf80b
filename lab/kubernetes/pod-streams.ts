/** Sub-resources of a pod that are no objects: what it printed, commands in it, connections to it. */
import type { Answers, ApiServerOptions, Call } from "./call";
import type { KubeObject } from "./objects";
import { textAt } from "./objects";
import type { OpenAnswers } from "./open-answers";
import { sendLog } from "./pod-output";
import { containerOf } from "./pod-programs";
import type { ResourcePath } from "./request";
import { badRequest, methodNotAllowed, StatusError } from "./status";
import { exec } from "./streams/exec";
import { portForward } from "./streams/port-forward";

const notModelled = (what: string): StatusError => new StatusError(501, "NotImplemented", `${what} is not modelled by the lab`);

export class PodStreams {
  constructor(
    private readonly options: ApiServerOptions,
    private readonly answers: Answers,
    private readonly open: OpenAnswers,
  ) {}

  /** @throws StatusError as a server or its kubelet gives it */
  async answer(call: Call, path: ResourcePath, name: string): Promise<void> {
    const { type, namespace, subresource } = path;
    const pod = this.options.store.get(type, namespace, name);
    switch (subresource) {
      case "log":
        this.#log(call, path, pod);
        return;
      case "exec":
        await this.#exec(call, pod);
        return;
      case "portforward":
        await this.#portForward(call, pod);
        return;
      case "attach":
        throw notModelled(`pods/attach: the input of the program in pod "${name}"`);
      default:
        throw methodNotAllowed();
    }
  }

  #log(call: Call, { type, namespace }: ResourcePath, pod: KubeObject): void {
    const { store, programs } = this.options;
    if (call.request.method !== "GET") throw methodNotAllowed();
    this.answers.checkParameters(call, "log");
    const alive = (): boolean => store.find(type, namespace, pod.metadata.name)?.metadata.uid === pod.metadata.uid;
    const end = sendLog(pod, call.url.searchParams, programs().output, call.response, alive);
    call.response.on("close", this.open.add(end));
  }

  async #exec(call: Call, pod: KubeObject): Promise<void> {
    checkStream(call);
    this.answers.checkParameters(call, "exec");
    const query = call.url.searchParams;
    if (["1", "true"].includes(query.get("tty") ?? "")) throw notModelled("a terminal in a container (kubectl exec -t)");
    const command = query.getAll("command");
    if (command.length === 0) throw badRequest("you must specify at least 1 command for the container");
    const container = containerOf(pod, query.get("container"));
    if (textAt(pod, "status", "phase") !== "Running")
      throw badRequest(`cannot exec into a container in a completed pod; current phase is ${textAt(pod, "status", "phase") ?? "Pending"}`);
    await exec(call, (stdin, signal) => this.options.programs().run(pod, container, command, stdin, signal));
  }

  async #portForward(call: Call, pod: KubeObject): Promise<void> {
    checkStream(call);
    this.answers.checkParameters(call, "portforward");
    if (textAt(pod, "status", "phase") !== "Running")
      throw badRequest(`unable to forward port because pod is not running. Current status=${textAt(pod, "status", "phase") ?? "Pending"}`);
    await portForward(call, pod, this.options.programs().portOf);
  }
}

/** A WebSocket is opened with GET, SPDY with POST. */
function checkStream({ request }: Call): void {
  if (request.method !== "GET" && request.method !== "POST") throw methodNotAllowed();
}
