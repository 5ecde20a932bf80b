import { defineModule } from "../module";
import { cdiOptions } from "./options";
import { CDI_NAMESPACE, UPLOAD_PORT } from "./values";

const GROUP = "cdi.kubevirt.io";
const KINDS = ["cdiconfigs", "cdis", "dataimportcrons", "datasources", "datavolumes", "objecttransfers", "storageprofiles"];
const POPULATORS = ["volumeclonesources", "volumeimportsources", "volumeuploadsources"];

export const cdi = defineModule({
  name: "cdi",
  summary: "volumes that are filled with an image, an upload or another volume; it cannot be removed while a DataVolume exists",
  options: cdiOptions,
  crds: [
    ...[...KINDS, ...POPULATORS].map((kind) => `${kind}.${GROUP}`),
    "openstackvolumepopulators.forklift.cdi.kubevirt.io",
    "ovirtvolumepopulators.forklift.cdi.kubevirt.io",
  ],
  parts: ({ podCidr }, { domain }) => ({
    namespaces: [CDI_NAMESPACE],
    podSecurity: { [CDI_NAMESPACE]: "baseline" },
    unlimited: [CDI_NAMESPACE],
    after: ["longhorn", "volume-snapshots"],
    cluster: ["load-balancer"],
    hosts: [{ name: `cdi-uploadproxy.${domain}`, serves: "uploads of images, for who has the upload's token", route: "balancer" }],
    flows: [
      { direction: "in", peer: "homelab", port: UPLOAD_PORT, why: "uploads of images, by its balancer" },
      { direction: "in", peer: "cluster", port: UPLOAD_PORT, why: "the API asks the webhooks, and hands its calls on" },
      { direction: "out", peer: "cluster", port: 6443, why: "reads volumes and claims, makes the pods that fill them" },
      { direction: "out", peer: podCidr, port: 8443, why: "the proxy hands uploads to the pods that fill volumes, and measures them" },
    ],
    workloads: [
      { name: "operator", cpu: "100m", memory: "150Mi" },
      { name: "apiserver", cpu: "100m", memory: "150Mi" },
      { name: "deployment", cpu: "100m", memory: "150Mi" },
      { name: "uploadproxy", cpu: "100m", memory: "150Mi" },
    ],
  }),
  build: () => (require("./cdi") as typeof import("./cdi")).buildCdi,
});
