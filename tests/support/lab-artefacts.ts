/** The lab's server of charts and files, a new one for each test. */

import { type Artefacts, startArtefacts } from "../../lab/artefacts";
import { createContext, type OwnedContext } from "../../lab/core/context";
import { type Fetched, fetchFromLab } from "../../lab/core/fetch";

export interface Rendered {
  manifests: { apiVersion: string; kind: string; metadata: { name: string; namespace?: string }; [field: string]: unknown }[];
  crds: { metadata: { name: string } }[];
  hooks: { manifest: Rendered["manifests"][number]; events: string[]; weight: number; deletePolicies: string[] }[];
  chart: { name: string; version: string; appVersion: string };
}

export class LabArtefacts {
  #ctx: OwnedContext | undefined;
  #artefacts: Artefacts | undefined;

  get ctx(): OwnedContext {
    if (this.#ctx === undefined) throw new Error("the artefacts of the test were not started");
    return this.#ctx;
  }

  get chartStandIn(): string {
    if (this.#artefacts === undefined) throw new Error("the artefacts of the test were not started");
    return this.#artefacts.chartStandIn;
  }

  readonly start = async (): Promise<void> => {
    this.#ctx = await createContext();
    this.#artefacts = await startArtefacts(this.#ctx);
  };

  readonly stop = async (): Promise<void> => {
    await this.#artefacts?.stop();
  };

  readonly get = (url: string): Promise<Fetched> => fetchFromLab(this.ctx, "test", new URL(url));

  readonly post = (body: unknown): Promise<Response> => fetch(`${this.chartStandIn}/render`, { method: "POST", body: JSON.stringify(body) });

  readonly render = async (
    repository: string,
    chart: string,
    version: string,
    values: unknown = {},
    namespace = chart,
    releaseName = chart,
  ): Promise<Rendered> => {
    const response = await this.post({ repository, chart, version, releaseName, namespace, values, kubeVersion: "v1.36.2+k3s1" });
    expect(response.status).toBe(200);
    return (await response.json()) as Rendered;
  };
}
