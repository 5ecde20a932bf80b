/** A client of one cluster's API, for our commands that do what no resource of the Kubernetes provider can. */
import { z } from "zod";
import { createHttpClient } from "../../common/http";
import { connectionOf } from "../clusters/kubeconfig";

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly [key: string]: unknown };
  readonly [key: string]: unknown;
}

export interface Answer {
  status: number;
  /** The API's own message where it refuses; else empty. */
  message: string;
  body: unknown;
}

export interface ClusterApi {
  /** @param type `application/apply-patch+yaml` makes it a server-side apply */
  request(method: string, path: string, body?: object, type?: "application/json" | "application/apply-patch+yaml"): Promise<Answer>;
  /** Path of all objects of the manifest's kind, in its namespace; undefined while the cluster has no such kind. */
  pathOf(manifest: Manifest): Promise<string | undefined>;
  close(): Promise<void>;
}

const refusalSchema = z.object({ kind: z.literal("Status"), message: z.string() });
const kindsSchema = z.object({ resources: z.array(z.object({ name: z.string(), kind: z.string(), namespaced: z.boolean() })) });

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
};

/** @param kubeconfig as renameKubeconfig gives it. @throws HomelabError E_KUBECONFIG, E_HTTP */
export function openCluster(kubeconfig: string): ClusterApi {
  const { server, ...tls } = connectionOf(kubeconfig);
  const http = createHttpClient(server, tls);
  const request: ClusterApi["request"] = async (method, path, given, type = "application/json") => {
    const answer = await http.request({
      method,
      url: `${server}${path}`,
      headers: { accept: "application/json", ...(given === undefined ? {} : { "content-type": type }) },
      ...(given === undefined ? {} : { body: JSON.stringify(given) }),
    });
    const body = parsed(answer.body);
    return { status: answer.status, message: refusalSchema.safeParse(body).data?.message ?? (answer.status < 300 ? "" : `status ${answer.status}`), body };
  };
  return {
    request,
    async pathOf({ apiVersion, kind, metadata }) {
      const group = `${apiVersion.includes("/") ? "/apis" : "/api"}/${apiVersion}`;
      const { status, body } = await request("GET", group);
      const found = status === 200 ? kindsSchema.parse(body).resources.find((type) => type.kind === kind && !type.name.includes("/")) : undefined;
      if (found === undefined) return undefined;
      return found.namespaced ? `${group}/namespaces/${metadata.namespace ?? "default"}/${found.name}` : `${group}/${found.name}`;
    },
    close: () => http.close(),
  };
}
