/** istiod beside a real Kubernetes API. It reads the mesh's configuration from the API, and its webhook refuses mistakes. */
import * as fs from "node:fs";
import * as path from "node:path";
import { createAuthority } from "../../lab/core/tls";
import { addKinds } from "./real-kinds";
import type { RealKubernetes } from "./real-kubernetes";
import { realPartFile, realPartPath } from "./real-parts";
import { onFreePorts, type RealProcess, startProcess, untilReady } from "./real-process";

export interface RealIstiod {
  readonly process: RealProcess;
  /** `http://127.0.0.1:<port>`: `/ready`, `/debug/configz`, … */
  readonly url: string;
}

const NAMESPACE = "istio-system";
const KINDS = "manifests/charts/base/files/crd-all.gen.yaml";
/** No sidecars, and no certificates for them, since there are no pods. The test issues the webhook's certificate. */
const WITHOUT_PODS = { VALIDATION_WEBHOOK_CONFIG_NAME: "", INJECTION_WEBHOOK_CONFIG_NAME: "", ENABLE_CA_SERVER: "false", INJECT_ENABLED: "false" };

/** @param added is called with the process once it has started */
export async function startIstiod(
  cluster: RealKubernetes,
  folder: string,
  options: { env?: Readonly<Record<string, string>> },
  added: (server: RealProcess) => RealProcess,
): Promise<RealIstiod> {
  await addKinds(cluster, realPartFile("istiod", KINDS));
  await cluster.call("POST", "/api/v1/namespaces", { metadata: { name: NAMESPACE } }, { allowed: [409] });
  const authority = await createAuthority("istiod");
  const { cert, key } = await authority.issue(["127.0.0.1"]);
  const write = (name: string, text: string): string => {
    fs.writeFileSync(path.join(folder, name), text, { mode: 0o600 });
    return path.join(folder, name);
  };
  const tls = [
    `--tlsCertFile=${write("istiod.crt", cert)}`,
    `--tlsKeyFile=${write("istiod.key", key)}`,
    `--caCertFile=${write("istiod-ca.crt", authority.caPem)}`,
  ];
  const started = await onFreePorts(2, async ([http, https]) => {
    const args = [
      ...["discovery", `--kubeconfig=${cluster.kubeconfigFile}`, `--namespace=${NAMESPACE}`, ...tls],
      // Servers that would have their own ports share the first one.
      ...[`--httpAddr=127.0.0.1:${http}`, `--httpsAddr=127.0.0.1:${https}`, "--grpcAddr=", "--secureGRPCAddr=", "--monitoringAddr="],
      ...["--ctrlz_address=127.0.0.1", "--ctrlz_port=0"],
    ];
    const server = await startProcess("istiod", realPartPath("istiod"), args, { folder, env: { ...WITHOUT_PODS, ...options.env } });
    await untilReady(server, "it is ready", async () => (await fetch(`http://127.0.0.1:${http}/ready`)).ok);
    return { process: added(server), url: `http://127.0.0.1:${http}`, webhook: `https://127.0.0.1:${https}/validate` };
  });
  await cluster.call(
    "POST",
    "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations",
    {
      metadata: { name: "istio-validator" },
      webhooks: [
        {
          name: "rev.validation.istio.io",
          clientConfig: { url: started.webhook, caBundle: Buffer.from(authority.caPem).toString("base64") },
          rules: [
            {
              operations: ["CREATE", "UPDATE"],
              apiGroups: ["security.istio.io", "networking.istio.io", "telemetry.istio.io", "extensions.istio.io"],
              apiVersions: ["*"],
              resources: ["*"],
            },
          ],
          failurePolicy: "Fail",
          sideEffects: "None",
          admissionReviewVersions: ["v1"],
        },
      ],
    },
    { allowed: [409] },
  );
  return { process: started.process, url: started.url };
}
