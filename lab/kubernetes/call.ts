/** One request to a cluster's API, and the ways to answer it. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { gzipSync } from "node:zlib";
import type { LabContext } from "../core/world";
import type { Tokens, User } from "./auth";
import type { ObjectForm } from "./list-answer";
import type { KubeObject } from "./objects";
import { undeclaredParameter } from "./parameters";
import type { PodPrograms } from "./pod-programs";
import type { ResourcePath } from "./request";
import { badRequest, StatusError } from "./status";
import type { ObjectStore } from "./store";
import type { Upgrade } from "./streams/upgrade";
import { partial, table } from "./tables";

export interface ApiServerOptions {
  cluster: string;
  address: string;
  store: ObjectStore;
  tokens: Tokens;
  ctx: LabContext;
  tls: { key: string; cert: string; ca: string };
  /** What runs in the pods. */
  programs: () => PodPrograms;
}

export interface Call {
  request: IncomingMessage;
  response: ServerResponse;
  url: URL;
  user: User;
  /** Of a request that asks for another protocol. */
  upgrade: Upgrade | undefined;
}

export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Kind and version first, as servers write them. */
export const ordered = ({ kind, apiVersion, metadata, ...rest }: KubeObject): Record<string, unknown> => ({ kind, apiVersion, metadata, ...rest });

export function accepts({ request }: Call): ObjectForm {
  const accept = String(request.headers.accept ?? "");
  if (/as=Table;/.test(accept)) return "Table";
  return /as=PartialObjectMetadata(List)?;/.test(accept) ? "PartialObjectMetadata" : undefined;
}

export class Answers {
  constructor(private readonly options: Pick<ApiServerOptions, "cluster" | "ctx">) {}

  unhandled(what: string): void {
    this.options.ctx.unhandled.add({ system: "kubernetes", target: this.options.cluster, what });
  }

  fail(response: ServerResponse, thrown: unknown): void {
    const error =
      thrown instanceof StatusError
        ? thrown
        : new StatusError(500, "InternalError", "Internal error occurred: the lab failed to answer; its log of unhandled calls says why");
    // An internal error goes to the lab's log, and not to the client.
    if (!(thrown instanceof StatusError)) this.unhandled(thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown));
    if (response.headersSent) response.end();
    else this.send(response, error.code, error.body());
  }

  /** @throws StatusError 400 for a parameter that the lab does not model */
  checkParameters({ request, url }: Call, what: Parameters<typeof undeclaredParameter>[1]): void {
    const strange = undeclaredParameter(url.searchParams, what);
    if (strange === undefined) return;
    this.unhandled(`${request.method} ${url.pathname}: the parameter ${strange} is not modelled`);
    throw badRequest(`the parameter ${strange} is not modelled by the lab`);
  }

  send(response: ServerResponse, status: number, body: unknown, warnings: readonly string[] = []): void {
    const text = `${JSON.stringify(body)}\n`;
    const zip = text.length > 128 * 1024 && /\bgzip\b/.test(String(response.req.headers["accept-encoding"] ?? ""));
    const warning = warnings.map((text) => `299 - "${text.replaceAll('"', '\\"')}"`);
    const headers: Record<string, string | string[]> = { "content-type": "application/json", "cache-control": "no-cache, private" };
    if (zip) headers["content-encoding"] = "gzip";
    if (warning.length > 0) headers["warning"] = warning;
    response.writeHead(status, headers);
    response.end(zip ? gzipSync(text) : text);
  }

  /** An object in the form that was asked for. */
  sendObject(call: Call, path: ResourcePath, status: number, object: unknown, warnings: readonly string[] = []): void {
    const as = accepts(call);
    const { metadata } = object as KubeObject;
    if (as === "Table")
      this.send(
        call.response,
        status,
        table(path.type, [object as KubeObject], { resourceVersion: metadata.resourceVersion }, this.options.ctx.clock.now()),
        warnings,
      );
    else this.send(call.response, status, as === "PartialObjectMetadata" ? partial(object as KubeObject) : ordered(object as KubeObject), warnings);
  }

  record({ type, namespace, subresource }: ResourcePath, name: string, verb: string, changed: boolean): void {
    const { ctx, cluster } = this.options;
    const where = namespace === undefined ? name : `${namespace}/${name}`;
    const apiVersion = type.group === "" ? type.version : `${type.group}/${type.version}`;
    ctx.records.add({
      system: "kubernetes",
      target: cluster,
      kind: changed ? "write" : "read",
      action: `${verb} ${apiVersion} ${type.plural}${subresource ? `/${subresource}` : ""} ${where}`,
    });
  }
}
