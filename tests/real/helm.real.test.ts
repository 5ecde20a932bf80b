/** Helm and our provider read, upgrade and remove each other's releases, on a real API and on the lab's. */
import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { startCluster } from "../../lab/kubernetes";
import { KubernetesClient } from "../../providers/kubernetes/client";
import { chooseInstaller } from "../../providers/kubernetes/helm/installer";
import { revisions } from "../../providers/kubernetes/helm/record";
import { specOf } from "../../providers/kubernetes/helm/release-inputs";
import type { ReleaseSpec } from "../../providers/kubernetes/helm/release-spec";
import { readKubeconfig } from "../../providers/kubernetes/kubeconfig";
import { testContext } from "../support/lab-context";
import { startRealKubernetes } from "../support/real-kubernetes";
import { describeReal, type PartName } from "../support/real-parts";

const NAMESPACE = "releases";
const NEVER = new AbortController().signal;

interface Api {
  kubeconfig: string;
  /** Requests that the lab does not model. */
  unhandled(): string[];
  stop(): Promise<void>;
}

async function startLab(): Promise<Api> {
  const ctx = await testContext();
  const cluster = await startCluster({ name: "dev", address: "192.168.1.12", node: "k8s-dev", ctx });
  const server = `https://127.0.0.1:${ctx.network.resolve("192.168.1.12", 6443)?.port}`;
  return { kubeconfig: cluster.adminKubeconfig({ server }), unhandled: () => ctx.unhandledList, stop: () => cluster.stop() };
}

async function startReal(pathOf: (name: PartName) => string): Promise<Api> {
  const { kubeconfig, stop } = await startRealKubernetes({ apiserver: pathOf("kube-apiserver"), etcd: pathOf("etcd") });
  return { kubeconfig, unhandled: () => [], stop };
}

/** A server like the lab's stand-in for Helm, with a chart of one object. */
async function startStandIn(): Promise<{ url: string; stop(): Promise<void> }> {
  const server = http.createServer((request, response) => {
    let text = "";
    request.on("data", (chunk: Buffer) => {
      text += chunk.toString();
    });
    request.on("end", () => {
      const { values, releaseName } = JSON.parse(text) as { values: { greeting: string }; releaseName: string };
      const manifests = [{ apiVersion: "v1", kind: "ConfigMap", metadata: { name: releaseName }, data: { greeting: values.greeting } }];
      response.end(JSON.stringify({ manifests, crds: [], chart: { name: "greeter", version: "1.2.3", appVersion: "9.0" } }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

const spec = (name: string, chart: string, greeting: string): ReleaseSpec =>
  specOf({ name, namespace: NAMESPACE, chart, values: { greeting }, createNamespace: true, skipAwait: true, timeout: 30 }, NAMESPACE);

/** Helm sends its records as protobuf. The lab's API reads protobuf as far as Helm needs it. */
const servers: { title: string; parts: readonly PartName[]; start: (pathOf: (name: PartName) => string) => Promise<Api> }[] = [
  { title: "a real kube-apiserver", parts: ["helm", "kube-apiserver", "etcd"], start: startReal },
  { title: "the lab's API", parts: ["helm"], start: startLab },
];

for (const { title, parts, start } of servers) {
  describeReal(parts, `helm and ${title}`, (pathOf) => {
    let api: Api;
    let standIn: { url: string; stop(): Promise<void> };
    let client: KubernetesClient;
    let folder: string;
    let chart: string;
    const path0 = process.env["PATH"] ?? "";

    beforeAll(async () => {
      folder = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-helm-test-"));
      api = await start(pathOf);
      standIn = await startStandIn();
      fs.writeFileSync(path.join(folder, "kubeconfig"), api.kubeconfig, { mode: 0o600 });
      chart = path.join(folder, "greeter");
      fs.mkdirSync(path.join(chart, "templates"), { recursive: true });
      fs.writeFileSync(path.join(chart, "Chart.yaml"), 'apiVersion: v2\nname: greeter\nversion: 1.2.4\nappVersion: "9.1"\n');
      fs.writeFileSync(path.join(chart, "values.yaml"), "greeting: none\n");
      const template = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\ndata:\n  greeting: {{ .Values.greeting | quote }}\n";
      fs.writeFileSync(path.join(chart, "templates", "greeting.yaml"), template);
      client = new KubernetesClient(readKubeconfig(api.kubeconfig), "default");
    });
    afterAll(async () => {
      await client.close();
      await standIn.stop();
      await api.stop();
      fs.rmSync(folder, { recursive: true });
    });
    afterEach(() => {
      process.env["PATH"] = path0;
      delete process.env["HOMELAB_CHART_STAND_IN"];
      expect(api.unhandled()).toEqual([]);
    });

    const helm = async (...args: string[]): Promise<string> => {
      const env = { PATH: path0, HOME: folder, KUBECONFIG: path.join(folder, "kubeconfig") };
      const { error, stdout, stderr } = await new Promise<{ error: Error | null; stdout: string; stderr: string }>((resolve) => {
        execFile(pathOf("helm"), [...args, "--namespace", NAMESPACE], { env }, (failed, out, err) => resolve({ error: failed, stdout: out, stderr: err }));
      });
      expect([args[0], error, stderr]).toEqual([args[0], null, ""]);
      return stdout;
    };
    const withoutHelm = () => {
      process.env["PATH"] = folder;
      process.env["HOMELAB_CHART_STAND_IN"] = standIn.url;
      return chooseInstaller(client, api.kubeconfig);
    };
    const withHelm = () => {
      process.env["PATH"] = `${path.dirname(pathOf("helm"))}:${path0}`;
      return chooseInstaller(client, api.kubeconfig);
    };
    const greeting = async (name: string) => {
      const { status, body } = await client.request("GET", `/api/v1/namespaces/${NAMESPACE}/configmaps/${name}`, NEVER);
      return status === 404 ? undefined : (body["data"] as Record<string, string>)["greeting"];
    };
    const listed = async () =>
      (JSON.parse(await helm("list", "--output", "json")) as Record<string, string>[]).map(({ updated: _updated, ...release }) => release);

    test("a release that was recorded without helm is listed, and its values and history are read, by helm", async () => {
      await withoutHelm().apply(spec("ours", "greeter", "hello"), NEVER);
      expect(await listed()).toEqual([{ name: "ours", namespace: NAMESPACE, revision: "1", status: "deployed", chart: "greeter-1.2.3", app_version: "9.0" }]);
      expect(JSON.parse(await helm("get", "values", "ours", "--output", "json"))).toEqual({ greeting: "hello" });
      expect(await helm("get", "manifest", "ours")).toContain("kind: ConfigMap");
      await withoutHelm().apply(spec("ours", "greeter", "hello again"), NEVER);
      const history = JSON.parse(await helm("history", "ours", "--output", "json")) as { revision: number; status: string; description: string }[];
      expect(history.map(({ revision, status, description }) => [revision, status, description])).toEqual([
        [1, "superseded", "Install complete"],
        [2, "deployed", "Upgrade complete"],
      ]);
    });

    test("helm upgrades a release that was recorded without it, and what it recorded is read here", async () => {
      expect(await greeting("ours")).toBe("hello again");
      await withHelm().apply(spec("ours", chart, "by helm"), NEVER);
      expect(await greeting("ours")).toBe("by helm");
      const records = await revisions(client, NAMESPACE, "ours", NEVER);
      expect(records.map(({ version, info, config }) => [version, info.status, config])).toEqual([
        [1, "superseded", { greeting: "hello" }],
        [2, "superseded", { greeting: "hello again" }],
        [3, "deployed", { greeting: "by helm" }],
      ]);
      expect(records.at(-1)?.chart.metadata).toMatchObject({ name: "greeter", version: "1.2.4", appVersion: "9.1" });
    });

    test("helm removes a release that was recorded without it, with its objects and its records", async () => {
      await withHelm().remove({ name: "ours", namespace: NAMESPACE, timeout: 30, disableWebhooks: false }, NEVER);
      expect(await greeting("ours")).toBeUndefined();
      expect(await revisions(client, NAMESPACE, "ours", NEVER)).toEqual([]);
      expect(await listed()).toEqual([]);
    });

    test("a release that helm installed is upgraded and removed without it", async () => {
      await helm("install", "theirs", chart, "--set", "greeting=first");
      await withoutHelm().apply(spec("theirs", "greeter", "second"), NEVER);
      expect(await greeting("theirs")).toBe("second");
      expect(await listed()).toMatchObject([{ name: "theirs", revision: "2", chart: "greeter-1.2.3" }]);
      await withoutHelm().remove({ name: "theirs", namespace: NAMESPACE, timeout: 30, disableWebhooks: false }, NEVER);
      expect(await greeting("theirs")).toBeUndefined();
      expect(await listed()).toEqual([]);
    });
  });
}
