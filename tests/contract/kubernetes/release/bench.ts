/** One API and one chart, "greeter", for all tests of releases, since starting an API takes longer than most tests. */
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import { KubernetesClient } from "../../../../providers/kubernetes/client";
import { revisions } from "../../../../providers/kubernetes/helm/record";
import { readKubeconfig } from "../../../../providers/kubernetes/kubeconfig";
import { provider } from "../../../../providers/kubernetes/provider";
import type { Values } from "../../../../providers/sdk/values";
import { TestProvider } from "../../../support/test-provider";
import { type KubernetesUnderTest, startLabApi } from "../under-test";

export const RELEASE = "kubernetes:helm.sh/v3:Release";
export const NEVER = new AbortController().signal;

/** Inputs of a release of the chart. The provider does not wait until it is ready. */
export const release = (name: string, given: Values = {}): Values => ({
  ...{ chart: "greeter", name, skipAwait: true, values: { greeting: "hello" } },
  ...given,
});

interface Chart {
  /** Objects beside the chart's ConfigMap. */
  more: object[];
  /** Objects in the chart's folder `crds/`. */
  crds: object[];
  /** Hooks that the stand-in for Helm returns apart from the other objects. */
  hooks: object[];
}

export class ReleaseBench {
  /** What the chart contains beside its ConfigMap; nothing at the start of each test. */
  readonly chart: Chart = { more: [], crds: [], hooks: [] };
  #asked: { kubeVersion?: string } = {};
  #started: { api: KubernetesUnderTest; client: KubernetesClient; charts: http.Server } | undefined;
  #plugin: TestProvider | undefined;

  get api(): KubernetesUnderTest {
    return this.#running.api;
  }
  get client(): KubernetesClient {
    return this.#running.client;
  }
  get plugin(): TestProvider {
    if (this.#plugin === undefined) throw new Error("the provider is started before each test");
    return this.#plugin;
  }
  get #running() {
    if (this.#started === undefined) throw new Error("the API is started before all tests");
    return this.#started;
  }

  /** The provider's last request to render the chart. */
  asked(): { kubeVersion?: string } {
    return this.#asked;
  }

  /** @returns version and status of each recorded revision */
  async records(name: string): Promise<[number, string][]> {
    return (await revisions(this.client, "default", name, NEVER)).map(({ version, info }) => [version, info.status]);
  }

  async start(): Promise<void> {
    const api = await startLabApi({ controllers: false });
    const charts = http.createServer((request, response) => {
      let text = "";
      request.on("data", (chunk: Buffer) => {
        text += chunk.toString();
      });
      request.on("end", () => response.end(JSON.stringify(this.#render(text))));
    });
    await new Promise<void>((resolve) => charts.listen(0, "127.0.0.1", resolve));
    process.env["HOMELAB_CHART_STAND_IN"] = `http://127.0.0.1:${(charts.address() as AddressInfo).port}`;
    this.#started = { api, charts, client: new KubernetesClient(readKubeconfig(api.kubeconfig), "default") };
  }

  async startProvider(): Promise<void> {
    Object.assign(this.chart, { more: [], crds: [], hooks: [] });
    this.#plugin = await TestProvider.start(provider, { kubeconfig: this.api.kubeconfig });
  }

  async stop(): Promise<void> {
    delete process.env["HOMELAB_CHART_STAND_IN"];
    const { api, client, charts } = this.#running;
    await client.close();
    await new Promise((resolve) => charts.close(resolve));
    await api.stop();
    expect(api.unhandled()).toEqual([]);
  }

  #render(text: string): object {
    this.#asked = JSON.parse(text) as { kubeVersion?: string };
    const { values, releaseName } = this.#asked as { values: { greeting?: string }; releaseName: string };
    const greeting = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: releaseName }, data: { greeting: values.greeting ?? "" } };
    const { more, crds, hooks } = this.chart;
    return { manifests: [greeting, ...more], crds, hooks, chart: { name: "greeter", version: "1.2.3", appVersion: "9.0" } };
  }
}
