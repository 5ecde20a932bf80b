/** A Kubernetes API under test, with calls that write to it as another client does. */
import { createHttpClient } from "../../../common/http";
import { startControllers } from "../../../lab/controllers";
import { startCluster } from "../../../lab/kubernetes";
import { readKubeconfig } from "../../../providers/kubernetes/kubeconfig";
import { testContext } from "../../support/lab-context";
import { type KubernetesPrograms, startRealKubernetes } from "../../support/real-kubernetes";

export type Body = Record<string, unknown>;

export interface KubernetesUnderTest {
  kubeconfig: string;
  /** Requests that the lab does not model. */
  unhandled(): string[];
  /** One request as the field manager of that name. @param type content type of the body, which decides how a patch is applied */
  call(method: string, path: string, body?: unknown, options?: { manager?: string; type?: string }): Promise<Body>;
  stop(): Promise<void>;
}

const JSON_TYPE = "application/json";
export const MERGE = "application/merge-patch+json";
export const APPLY = "application/apply-patch+yaml";

function underTest(kubeconfig: string, unhandled: () => string[], stop: () => Promise<void>): KubernetesUnderTest {
  const { server, ca, cert, key } = readKubeconfig(kubeconfig);
  const http = createHttpClient(server, { ...(ca ? { ca } : {}), ...(cert ? { cert } : {}), ...(key ? { key } : {}) });
  return {
    kubeconfig,
    unhandled,
    async call(method, path, body, { manager, type = JSON_TYPE } = {}) {
      const query = manager === undefined ? "" : `${path.includes("?") ? "&" : "?"}fieldManager=${manager}`;
      const { status, body: text } = await http.request({
        method,
        url: `${server}${path}${query}`,
        headers: { accept: JSON_TYPE, ...(body === undefined ? {} : { "content-type": type }) },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const answer = JSON.parse(text) as Body;
      if (status >= 300) throw new Error(`${method} ${path}: ${status} ${String(answer["message"])}`);
      return answer;
    },
    async stop() {
      await http.close();
      await stop();
    },
  };
}

/** @param options without `controllers`, nothing becomes ready by itself; default: with them */
export async function startLabApi(options: { controllers?: boolean } = {}): Promise<KubernetesUnderTest> {
  const ctx = await testContext();
  const cluster = await startCluster({ name: "dev", address: "192.168.1.12", node: "k8s-dev", ctx });
  const server = `https://127.0.0.1:${ctx.network.resolve("192.168.1.12", 6443)?.port}`;
  const controllers = options.controllers === false ? undefined : startControllers(cluster, ctx);
  return underTest(
    cluster.adminKubeconfig({ server }),
    () => ctx.unhandledList,
    async () => {
      await controllers?.stop();
      await cluster.stop();
    },
  );
}

/** Without controllers and nodes. */
export async function startRealApi(
  pathOf: (name: "kube-apiserver" | "etcd") => string,
  more: Omit<KubernetesPrograms, "apiserver" | "etcd"> = {},
): Promise<KubernetesUnderTest> {
  const { kubeconfig, stop } = await startRealKubernetes({ apiserver: pathOf("kube-apiserver"), etcd: pathOf("etcd"), ...more });
  return underTest(kubeconfig, () => [], stop);
}

/** Tries again for ten seconds, and fails as the last try did. */
export async function eventually(attempt: () => Promise<void>): Promise<void> {
  for (let left = 100; ; left--) {
    try {
      return await attempt();
    } catch (error) {
      if (left === 0) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** A new kind is served a moment after its definition. */
export async function isServed(api: KubernetesUnderTest, path: string): Promise<void> {
  await eventually(async () => {
    await api.call("GET", path);
  });
}
