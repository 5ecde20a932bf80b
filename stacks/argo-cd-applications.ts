/**
 * `node bin/stacks/argo-cd-applications.js`: which Applications of these names an Argo CD has. Takes the kubeconfig of its cluster and the
 * names as JSON on standard input. The orchestrator's child (`homelab up`, `homelab preview`). Changes nothing. Loads no Pulumi SDK.
 */
import { z } from "zod";
import { HomelabError } from "../common/errors";
import { type ClusterApi, openCluster } from "../components/base/cluster-api";
import { ARGO_CD_NAMESPACE } from "../components/platform/argo-cd/values";
import { runChild } from "./child";

const requestSchema = z.strictObject({ kubeconfig: z.string(), names: z.array(z.string()) });

async function existing(api: Pick<ClusterApi, "request">, names: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  try {
    for (const name of names) {
      // A cluster without Argo CD answers 404 as well.
      const { status } = await api.request("GET", `/apis/argoproj.io/v1alpha1/namespaces/${ARGO_CD_NAMESPACE}/applications/${name}`);
      if (status === 200) found.push(name);
    }
  } catch (thrown) {
    // An Argo CD in a cluster that does not answer delivers nothing, and must not keep another stack from its build.
    if (!(thrown instanceof HomelabError)) throw thrown;
  }
  return found;
}

async function answer(input: string): Promise<object> {
  const { kubeconfig, names } = requestSchema.parse(JSON.parse(input));
  const api = openCluster(kubeconfig);
  try {
    return { version: 1, found: await existing(api, names) };
  } finally {
    await api.close();
  }
}

if (require.main === module) runChild(answer);
