import { defineModule } from "../module";
import { localPathOptions } from "./options";
import { LOCAL_PATH_CHART, LOCAL_PATH_CLASS, LOCAL_PATH_NAMESPACE, LOCAL_PATH_RESOURCES, localPathValues } from "./values";

export const localPath = defineModule({
  name: "local-path",
  summary: "volumes in a folder of the node, on clusters that do not bring it; k3s does, kubeadm does not",
  charts: { "local-path": LOCAL_PATH_CHART },
  options: localPathOptions,
  parts: (options) => ({
    namespaces: [LOCAL_PATH_NAMESPACE],
    // It starts pods here that create and empty folders of the node.
    podSecurity: { [LOCAL_PATH_NAMESPACE]: "privileged" },
    offers: { storageClasses: [LOCAL_PATH_CLASS], ingressClasses: [] },
    flows: [{ direction: "out", peer: "cluster", port: 6443, why: "reads claims, makes volumes and the pods for their folders" }],
    workloads: [{ name: "provisioner", ...LOCAL_PATH_RESOURCES }],
    values: { "local-path": localPathValues(options) },
  }),
  build: () => (require("./local-path") as typeof import("./local-path")).buildLocalPath,
});
