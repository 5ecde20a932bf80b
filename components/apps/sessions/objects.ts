/** Objects that both sessions and the golden image's Job need: disks, machines, their user data, and pods with kubectl. Pure. */

export interface ObjectMetadata {
  readonly name: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** @param source in the form of CDI's DataVolume: https://github.com/kubevirt/containerized-data-importer/blob/main/doc/datavolumes.md */
export const diskOf = (metadata: ObjectMetadata, source: object, { storageClass, diskSize }: { storageClass: string; diskSize: string }) => ({
  apiVersion: "cdi.kubevirt.io/v1beta1",
  kind: "DataVolume",
  metadata,
  spec: { source, storage: { storageClassName: storageClass, accessModes: ["ReadWriteOnce"], resources: { requests: { storage: diskSize } } } },
});

/** @param userdata document of cloud-init */
export const userDataOf = (metadata: ObjectMetadata, userdata: string) => ({
  apiVersion: "v1",
  kind: "Secret",
  metadata,
  type: "Opaque",
  stringData: { userdata },
});

export interface MachineOptions {
  readonly cores: number;
  /** Cores that the scheduler sets aside for it. */
  readonly requested: number;
  readonly memory: string;
  /** Name of its DataVolume. */
  readonly disk: string;
  /** Name of the Secret with its document of cloud-init. */
  readonly userData: string;
}

/** `spec` of a VirtualMachineInstance, or of the template of a VirtualMachine. */
export const machineSpec = ({ cores, requested, memory, disk, userData }: MachineOptions) => ({
  terminationGracePeriodSeconds: 30,
  domain: {
    cpu: { cores },
    memory: { guest: memory },
    resources: { requests: { cpu: String(requested), memory } },
    devices: {
      rng: {},
      disks: [
        { name: "root", disk: { bus: "virtio" } },
        { name: "user-data", disk: { bus: "virtio" } },
      ],
      interfaces: [{ name: "default", masquerade: {} }],
    },
  },
  networks: [{ name: "default", pod: {} }],
  volumes: [
    { name: "root", dataVolume: { name: disk } },
    { name: "user-data", cloudInitNoCloud: { secretRef: { name: userData } } },
  ],
});

/** kubectl with a shell. */
export const KUBECTL_IMAGE = "docker.io/alpine/k8s:1.33.4";

export interface KubectlPodOptions {
  /** Service account of the pod. */
  readonly account: string;
  /** Name of the container. */
  readonly container: string;
  /** For sh. */
  readonly script: string;
  /** Its request; the limit is 128Mi. */
  readonly memory: string;
  /** More fields of the container: `env`, `volumeMounts`. */
  readonly more?: object;
  readonly volumes?: readonly object[];
  /** Grace period of its termination. Default: Kubernetes' own 30 seconds. */
  readonly graceSeconds?: number;
}

export const kubectlPod = ({ account, container, script, memory, more, volumes, graceSeconds }: KubectlPodOptions) => ({
  serviceAccountName: account,
  restartPolicy: "Never",
  ...(graceSeconds === undefined ? {} : { terminationGracePeriodSeconds: graceSeconds }),
  securityContext: { runAsNonRoot: true, runAsUser: 65_534, seccompProfile: { type: "RuntimeDefault" } },
  containers: [
    {
      name: container,
      image: KUBECTL_IMAGE,
      command: ["sh", "-c", script],
      ...more,
      resources: { requests: { cpu: "10m", memory }, limits: { memory: "128Mi" } },
      securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ["ALL"] } },
    },
  ],
  ...(volumes === undefined ? {} : { volumes }),
});
