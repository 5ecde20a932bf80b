import { defineModule } from "../module";
import { registryOptions } from "./options";
import { REGISTRY_IMAGE, REGISTRY_NAMESPACE, REGISTRY_PORT, REGISTRY_RESOURCES, usersSecret } from "./values";

export const registry = defineModule({
  name: "registry",
  summary: "a small registry of images with users, for a homelab without Harbor, which serves the same name",
  images: [REGISTRY_IMAGE],
  options: registryOptions,
  parts: ({ storageClass: own, size, host, path, key }, { domain, storageClass, ingressClass }) => ({
    namespaces: [REGISTRY_NAMESPACE],
    needs: ["external-secrets", "cluster-access"],
    cluster: ["ingress"],
    storageClasses: [own ?? storageClass],
    ingressClasses: [ingressClass],
    hosts: [{ name: `${host}.${domain}`, serves: "a registry of images", route: "ingress" }],
    namespaceSecrets: [{ namespace: REGISTRY_NAMESPACE, wanted: [usersSecret({ path, key })] }],
    flows: [{ direction: "in", peer: "routes", port: REGISTRY_PORT, why: "images in and out" }],
    workloads: [{ name: "registry", ...REGISTRY_RESOURCES }],
    volumes: [{ name: "images", size }],
  }),
  build: () => (require("./registry") as typeof import("./registry")).buildRegistry,
});
