/** Requests that change objects: create, update, patch, apply, delete. */
import { Admission } from "./admission";
import { type Answers, type ApiServerOptions, type Call, ordered, readBody } from "./call";
import { schemaOf, undeclaredFields, unknownFields } from "./field-schema";
import { at, type Json, type JsonMap, type KubeObject, mapAt, numberAt, textAt } from "./objects";
import { undeclaredOption } from "./parameters";
import { patchOf } from "./patch";
import { isProtobuf, protobufBody } from "./protobuf";
import { selected } from "./reads";
import { parseBody, type ResourcePath } from "./request";
import type { ResourceType } from "./resource-types";
import { scaleOf } from "./scale";
import { badRequest, invalid, methodNotAllowed, qualified, StatusError } from "./status";
import type { Admit, WriteOptions, Written } from "./store";

/** An apply gives each field its owner by the kind's schema: one that is not in it is refused, whatever `fieldValidation` asks. Names all of them, a real server some. */
function refuseUndeclared(type: ResourceType, name: string, body: Json): void {
  const errors = undeclaredFields(body, type).map((field) => `${field}: field not declared in schema`);
  if (errors.length === 0) return;
  const found = errors.length === 1 ? errors[0] : ["errors:", ...errors.map((error) => `  ${error}`)].join("\n");
  const object = `${textAt(body, "metadata", "namespace") ?? ""}/${name}; ${type.group}/${type.version}, Kind=${type.kind}`;
  throw new StatusError(500, "", `failed to create typed patch object (${object}): ${found}`);
}

export class Writes {
  readonly #admission: Admission;

  constructor(
    private readonly options: ApiServerOptions,
    private readonly answers: Answers,
  ) {
    this.#admission = new Admission(options.store, options.ctx, options.cluster);
  }

  #admit({ type, subresource }: ResourcePath, dryRun: boolean): Admit {
    return (operation, object) => this.#admission.check({ type, namespace: object.metadata.namespace, subresource, operation, object, dryRun });
  }

  /** Checks fields that the kind does not have, as the request asks. */
  #fieldWarnings(call: Call, path: ResourcePath, object: unknown): string[] {
    const mode = call.url.searchParams.get("fieldValidation") ?? "Warn";
    if (mode === "Ignore" || path.type.crd !== undefined) return [];
    const unknown = unknownFields(object, schemaOf(path.type));
    if (unknown.length === 0) return [];
    const texts = unknown.map((name) => `unknown field "${name}"`);
    if (mode === "Warn") return texts;
    throw badRequest(
      `${path.type.kind} in version "${path.type.version}" cannot be handled as a ${path.type.kind}: strict decoding error: ${texts.join(", ")}`,
    );
  }

  /** Parses JSON, YAML and protobuf. Custom resources have no protobuf form. A body in protobuf that the lab cannot read is logged as a gap. */
  parsed(body: Buffer, contentType: string, { type }: ResourcePath): unknown {
    if (!isProtobuf(contentType)) return parseBody(body.toString("utf8"), contentType, type.kind);
    try {
      if (type.crd === undefined) return protobufBody(body);
    } catch (thrown) {
      if (!(thrown instanceof StatusError)) throw thrown;
      this.answers.unhandled(thrown.message);
    }
    throw new StatusError(
      415,
      "UnsupportedMediaType",
      "the body of the request was in an unknown format - accepted media types include: application/json, application/yaml",
    );
  }

  /** Fault: the error that a writer gets when somebody else has just changed the object. */
  #conflict({ type, name = "" }: ResourcePath): void {
    const { ctx, cluster } = this.options;
    if (name === "" || ctx.faults.take("kubernetes.conflict", cluster) === undefined) return;
    throw new StatusError(
      409,
      "Conflict",
      `Operation cannot be fulfilled on ${qualified(type)} "${name}": the object has been modified; please apply your changes to the latest version and try again`,
    );
  }

  async write(call: Call, path: ResourcePath): Promise<void> {
    const { request, url } = call;
    const { store } = this.options;
    const { type, namespace, name, subresource } = path;
    this.#conflict(path);
    const contentType = request.headers["content-type"] ?? "application/json";
    const body = this.parsed(await readBody(request), contentType, path) as Json;
    const manager = url.searchParams.get("fieldManager") ?? (String(request.headers["user-agent"] ?? "").split("/")[0] || "unknown");
    const options: WriteOptions = {
      admit: this.#admit(path, Boolean(url.searchParams.get("dryRun"))),
      manager: manager.startsWith("node") || manager === "undici" ? "unknown" : manager,
      ...(url.searchParams.get("dryRun") ? { dryRun: true } : {}),
      ...(subresource === "status" ? { subresource } : {}),
    };
    if (request.method === "POST") {
      if (name !== undefined) throw methodNotAllowed();
      const warnings = this.#fieldWarnings(call, path, body);
      this.#written(call, path, store.create(type, namespace, body as unknown as KubeObject, options), "create", warnings);
      return;
    }
    if (name === undefined) throw methodNotAllowed();
    if (subresource === "scale") {
      const replicas = numberAt(body, "spec", "replicas") ?? 0;
      this.#written(
        call,
        path,
        store.modify(type, namespace, name, (o) => ({ ...o, spec: { ...mapAt(o, "spec"), replicas } }), options),
        "scale",
        [],
      );
      return;
    }
    if (subresource === "finalize") {
      if (request.method !== "PUT" || type.kind !== "Namespace") throw methodNotAllowed();
      this.#written(call, path, store.finalize(type, name, at(body, "spec", "finalizers"), options), "finalize", []);
      return;
    }
    if (request.method === "PUT") {
      const warnings = this.#fieldWarnings(call, path, body);
      this.#written(call, path, store.update(type, namespace, name, body as unknown as KubeObject, options), "update", warnings);
      return;
    }
    this.#written(
      call,
      path,
      this.#patch(path, name, contentType, body, options, url.searchParams),
      contentType.includes("apply-patch") ? "apply" : "patch",
      [],
    );
  }

  #patch({ type, namespace }: ResourcePath, name: string, contentType: string, body: Json, options: WriteOptions, query: URLSearchParams): Written {
    const { store } = this.options;
    if (contentType.includes("apply-patch")) {
      const manager = query.get("fieldManager");
      if (manager === null)
        throw invalid("PatchOptions", "meta.k8s.io", "", [
          { reason: "FieldValueRequired", message: "Required value: is required for apply patch", field: "fieldManager" },
        ]);
      refuseUndeclared(type, name, body);
      return store.apply(type, namespace, name, body as unknown as KubeObject, { ...options, manager, force: query.get("force") === "true" });
    }
    const change = patchOf(contentType, type, body);
    return store.modify(type, namespace, name, (object) => change(object as unknown as Json) as unknown as KubeObject, options);
  }

  #written(call: Call, path: ResourcePath, written: Written, verb: string, warnings: readonly string[]): void {
    this.answers.record(path, written.object.metadata.name, verb, written.changed);
    // The object is written; the client gets no answer.
    if (this.options.ctx.faults.take("kubernetes.reply-lost", this.options.cluster)) return void call.request.socket.destroy();
    const body = path.subresource === "scale" ? scaleOf(written.object) : written.object;
    this.answers.sendObject(call, path, written.created ? 201 : 200, body, warnings);
  }

  async delete(call: Call, path: ResourcePath): Promise<void> {
    const { request, response, url } = call;
    const { store } = this.options;
    const { type, namespace, name } = path;
    const sent = await readBody(request);
    const body = (sent.length === 0 ? {} : this.parsed(sent, request.headers["content-type"] ?? "application/json", path)) as JsonMap;
    const strange = undeclaredOption(body);
    if (strange !== undefined) {
      this.answers.unhandled(`DELETE ${url.pathname}: the option ${strange} is not modelled`);
      throw badRequest(`the option ${strange} of a deletion is not modelled by the lab`);
    }
    const dryRun = Boolean(url.searchParams.get("dryRun")) || Array.isArray(body["dryRun"]);
    const uid = textAt(body, "preconditions", "uid");
    const propagation = url.searchParams.get("propagationPolicy") ?? textAt(body, "propagationPolicy");
    const options = { admit: this.#admit(path, dryRun), ...(dryRun ? { dryRun } : {}), ...(propagation ? { propagation } : {}), ...(uid ? { uid } : {}) };
    if (name === undefined) {
      const objects = store.list(type, namespace).filter(selected(call, path));
      for (const { metadata } of objects) {
        store.delete(type, metadata.namespace, metadata.name, options);
        this.answers.record(path, metadata.name, "delete", true);
      }
      const items = objects.map(({ apiVersion: _a, kind: _k, ...rest }) => rest);
      this.answers.send(response, 200, {
        kind: `${type.kind}List`,
        apiVersion: type.group === "" ? type.version : `${type.group}/${type.version}`,
        metadata: { resourceVersion: store.resourceVersion },
        items,
      });
      return;
    }
    const { object, gone } = store.delete(type, namespace, name, options);
    this.answers.record(path, name, "delete", !options.dryRun);
    if (!gone) this.answers.send(response, 200, ordered(object));
    else
      this.answers.send(response, 200, {
        kind: "Status",
        apiVersion: "v1",
        metadata: {},
        status: "Success",
        details: { name, ...(type.group === "" ? {} : { group: type.group }), kind: type.plural, uid: object.metadata.uid },
      });
  }
}
