import { defineModule, noOptions } from "../module";
import { SNAPSHOT_CONTROLLER_IMAGE, SNAPSHOT_CONTROLLER_NAMESPACE, SNAPSHOT_CONTROLLER_RESOURCES } from "./values";

const GROUP = "snapshot.storage.k8s.io";

export const snapshotController = defineModule({
  name: "snapshot-controller",
  summary: "snapshots of volumes, by the classes that a storage driver offers; its resource kinds stay when it is removed, and the snapshots with them",
  images: [SNAPSHOT_CONTROLLER_IMAGE],
  options: noOptions,
  crds: ["volumesnapshotclasses", "volumesnapshotcontents", "volumesnapshots"].map((kind) => `${kind}.${GROUP}`),
  provides: ["volume-snapshots"],
  parts: () => ({
    namespaces: [SNAPSHOT_CONTROLLER_NAMESPACE],
    flows: [{ direction: "out", peer: "cluster", port: 6443, why: "reads snapshots, and writes what became of them" }],
    workloads: [{ name: "controller", ...SNAPSHOT_CONTROLLER_RESOURCES }],
  }),
  build: () => (require("./snapshot-controller") as typeof import("./snapshot-controller")).buildSnapshotController,
});
