/** The snapshot controller: its definitions as published, and a Deployment of our own, since the published one has all rights of root. */
import type { PinnedFile } from "../../base/manifest-files";
import type { ImagePin } from "../pins";
import { sized } from "../sized";

const VERSION = "v8.6.0";
const FOLDER = `https://raw.githubusercontent.com/kubernetes-csi/external-snapshotter/${VERSION}/client/config/crd`;

/** The files of Git at the tag v8.6.0. */
export const SNAPSHOT_DEFINITIONS: readonly PinnedFile[] = [
  {
    url: `${FOLDER}/snapshot.storage.k8s.io_volumesnapshotclasses.yaml`,
    sha256: "75e6565aac2c0f2949ed13ea884bbaa388cb7be576b558b709cf1168e011828d",
  },
  {
    url: `${FOLDER}/snapshot.storage.k8s.io_volumesnapshotcontents.yaml`,
    sha256: "895a3c1e73b60f06a0deb566dd123d01bdf1b2efc5d5ff5231ff8bbcf42dafc7",
  },
  {
    url: `${FOLDER}/snapshot.storage.k8s.io_volumesnapshots.yaml`,
    sha256: "b032116e987fb1d7d93cec7d942833adeb9d95c9bdc7e00c10b280c2fe4a6c33",
  },
];

export const SNAPSHOT_CONTROLLER_IMAGE = {
  image: `registry.k8s.io/sig-storage/snapshot-controller:${VERSION}`,
  why: "the version that Longhorn 1.12's own sidecar has",
} as const satisfies ImagePin;

export const SNAPSHOT_CONTROLLER_NAMESPACE = "snapshot-controller";
/** Port of its health endpoint. */
const HEALTH_PORT = 8080;
export const SNAPSHOT_CONTROLLER_RESOURCES = { cpu: "10m", memory: "32Mi" } as const;
/** The user `nonroot` of its base image (distroless): the image itself names no user. */
const NONROOT = 65_532;

const labels = { "app.kubernetes.io/name": "snapshot-controller", "app.kubernetes.io/managed-by": "homelab" };
const NAME = "snapshot-controller";

/** What it may do, as published with v8.6.0 (deploy/kubernetes/snapshot-controller/rbac-snapshot-controller.yaml), groups of snapshots left out. */
export const SNAPSHOT_RULES = [
  { apiGroups: [""], resources: ["persistentvolumes"], verbs: ["get", "list", "watch"] },
  { apiGroups: [""], resources: ["persistentvolumeclaims"], verbs: ["get", "list", "watch", "update"] },
  { apiGroups: [""], resources: ["events"], verbs: ["list", "watch", "create", "update", "patch"] },
  { apiGroups: ["snapshot.storage.k8s.io"], resources: ["volumesnapshotclasses"], verbs: ["get", "list", "watch"] },
  {
    apiGroups: ["snapshot.storage.k8s.io"],
    resources: ["volumesnapshotcontents", "volumesnapshots"],
    verbs: ["create", "get", "list", "watch", "update", "delete", "patch"],
  },
  { apiGroups: ["snapshot.storage.k8s.io"], resources: ["volumesnapshotcontents/status", "volumesnapshots/status"], verbs: ["update", "patch"] },
];
export const LEADER_RULES = [{ apiGroups: ["coordination.k8s.io"], resources: ["leases"], verbs: ["get", "watch", "list", "delete", "update", "create"] }];

/** @template S text, or an output of one */
export const snapshotDeployment = <S>(namespace: S, account: S) => ({
  metadata: { name: NAME, namespace, labels },
  spec: {
    // One replica: a second one would only wait to become the leader, on the same node.
    replicas: 1,
    selector: { matchLabels: { "app.kubernetes.io/name": NAME } },
    template: {
      metadata: { labels },
      spec: {
        serviceAccountName: account,
        securityContext: { runAsNonRoot: true, runAsUser: NONROOT, runAsGroup: NONROOT, seccompProfile: { type: "RuntimeDefault" } },
        containers: [
          {
            name: NAME,
            image: SNAPSHOT_CONTROLLER_IMAGE.image,
            args: ["--v=2", "--leader-election=true", `--http-endpoint=:${HEALTH_PORT}`],
            ports: [{ name: "http", containerPort: HEALTH_PORT }],
            // It exits by itself when it loses its lease.
            livenessProbe: { tcpSocket: { port: "http" }, initialDelaySeconds: 10, periodSeconds: 20 },
            readinessProbe: { httpGet: { path: "/healthz/leader-election", port: "http" } },
            resources: sized(SNAPSHOT_CONTROLLER_RESOURCES.cpu, SNAPSHOT_CONTROLLER_RESOURCES.memory, "128Mi"),
            securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ["ALL"] } },
          },
        ],
      },
    },
  },
});
