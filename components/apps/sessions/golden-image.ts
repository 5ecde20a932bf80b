/**
 * The Job that builds, tests and publishes the golden image of sessions. Pure.
 *
 * 1. A machine boots a cloud image of Debian, and the homelab's own kubeadm role makes it a node.
 * 2. A second machine boots a copy of its disk and tests it.
 * 3. A copy gets the name that sessions clone.
 *
 * A machine that succeeds powers itself off; one that fails stays on. So the Job only waits until the machine has ended. A published
 * image never changes: another version has another name.
 */
import { z } from "zod";
import { compileRole, kubeadmNode } from "../../../ansible-replacements";
import { quote } from "../../../common/quote";
import { portableDocuments } from "../../../common/yaml";
import { documentOf } from "./document";
import { goldenImageName } from "./golden-image-name";
import { diskOf, kubectlPod, machineSpec, type ObjectMetadata, userDataOf } from "./objects";
import { correct, diskSize, kubernetesVersion, parseOptions, sessionName } from "./session-spec";

export const sha256 = z.string().regex(/^[0-9a-f]{64}$/, "must be a SHA-256 of 64 hexadecimal digits");
export const sha512 = z.string().regex(/^[0-9a-f]{128}$/, "must be a SHA-512 of 128 hexadecimal digits");
const address = z.url({ protocol: /^https$/, error: "must be an address with https" });

export const goldenImageSchema = z.strictObject({
  kubernetesVersion,
  /** Cloud image of Debian 12 or newer, as qcow2, with the checksum that its publisher gives beside it (SHA512SUMS). */
  base: z.strictObject({ url: address, sha512 }),
  /** Archive of Helm for linux-amd64, with its checksum. */
  helm: z.strictObject({ url: address, sha256 }),
  /** Where it is built, and where sessions clone it from. */
  namespace: sessionName,
  storageClass: sessionName,
  diskSize,
});
export type GoldenImageOptions = z.output<typeof goldenImageSchema>;

const yaml = (...objects: readonly object[]): string => portableDocuments(objects);

const CONTAINERD = "/run/containerd/containerd.sock";
/** The last command of a machine that succeeded: the Job waits for it. */
const OFF = "poweroff";

/** Makes the machine a node, and deletes its identity, so that each copy gets its own. */
export function buildConfig({ kubernetesVersion, helm }: GoldenImageOptions): string {
  return documentOf({
    hostname: "golden-image-build",
    files: [{ path: "/root/node.sh", content: compileRole(kubeadmNode({ version: kubernetesVersion })).script }],
    run: [
      "sh /root/node.sh",
      `curl -fsSL --proto '=https' --tlsv1.2 -o /root/helm.tar.gz ${quote(helm.url)}`,
      `echo ${quote(`${helm.sha256}  /root/helm.tar.gz`)} | sha256sum -c -`,
      "tar -xzf /root/helm.tar.gz -C /root linux-amd64/helm",
      "install -m 0755 /root/linux-amd64/helm /usr/local/bin/helm",
      // So a new session pulls only Cilium's images.
      `kubeadm config images pull --kubernetes-version v${kubernetesVersion}`,
      "rm -rf /root/node.sh /root/helm.tar.gz /root/linux-amd64",
      // A copy gets keys, an identity and a first boot of its own.
      "rm -f /etc/ssh/ssh_host_*",
      "cloud-init clean --logs --machine-id",
      "sync",
      OFF,
    ],
  });
}

/** Checks that a copy has all that a session needs. */
export function testConfig({ kubernetesVersion }: GoldenImageOptions): string {
  const version = `v${kubernetesVersion}`;
  return documentOf({
    hostname: "golden-image-test",
    files: [{ path: "/root/kubeadm.yaml", content: yaml({ apiVersion: "kubeadm.k8s.io/v1beta4", kind: "ClusterConfiguration", kubernetesVersion: version }) }],
    run: [
      `[ "$(kubeadm version -o short)" = ${version} ]`,
      `[ "$(kubelet --version)" = ${quote(`Kubernetes ${version}`)} ]`,
      "kubectl version --client",
      "helm version --short",
      "systemctl is-active containerd",
      "systemctl is-enabled kubelet",
      `kubeadm config images list --kubernetes-version ${version} > /root/images`,
      "while read -r image; do",
      `  ctr --address ${CONTAINERD} --namespace k8s.io images ls -q | grep -qxF "$image" || { echo "the image $image is not there" >&2; exit 1; }`,
      "done < /root/images",
      // kubeadm's checks of a machine, without creating anything.
      "kubeadm init phase preflight --config /root/kubeadm.yaml",
      // It is a copy, with an identity of its own.
      "[ -s /etc/machine-id ]",
      OFF,
    ],
  });
}

type Step = "build" | "test";
const JOB = "golden-image";
const machineName = (step: Step): string => `${JOB}-${step}`;
const LABELS = { "app.kubernetes.io/name": JOB };

/** The published disk has a label of its own, because each run deletes everything with the label of the Job. */
const PUBLISHED = { "app.kubernetes.io/name": "golden-image-published" };

const metadataOf = ({ namespace }: GoldenImageOptions, name: string) => ({ name, namespace, labels: LABELS });

/** A disk that is cloned from the one that was built. */
const copyOf = (options: GoldenImageOptions, metadata: ObjectMetadata) =>
  diskOf(metadata, { pvc: { namespace: options.namespace, name: machineName("build") } }, options);

const machineOf = (options: GoldenImageOptions, step: Step) => ({
  apiVersion: "kubevirt.io/v1",
  kind: "VirtualMachineInstance",
  metadata: metadataOf(options, machineName(step)),
  spec: machineSpec({ cores: 2, requested: 1, memory: "2Gi", disk: machineName(step), userData: machineName(step) }),
});

const bootOf = (options: GoldenImageOptions, step: Step) =>
  userDataOf(metadataOf(options, machineName(step)), step === "build" ? buildConfig(options) : testConfig(options));

const [MANIFESTS, MINUTES] = ["/manifests", { disk: 20, build: 30, test: 10 }];

/** The script of the Job. @public for shellcheck */
export function goldenImageScript(options: GoldenImageOptions): string {
  const name = goldenImageName(options.kubernetesVersion);
  const kubectl = `kubectl --namespace ${options.namespace}`;
  const succeeded = (what: string, minutes: number): string => `succeeded ${what} ${minutes}m`;
  const step = (of: Step): string[] => [
    `${kubectl} apply -f ${MANIFESTS}/${of}.yaml`,
    succeeded(`datavolume/${machineName(of)}`, MINUTES.disk),
    `echo ${quote(`waiting until the machine of ${of} has turned itself off`)}`,
    succeeded(`vmi/${machineName(of)}`, MINUTES[of]),
  ];
  return [
    "set -eu",
    "# What is published is never changed: sessions that run were cloned from it.",
    `phase=$(${kubectl} get datavolume/${name} --ignore-not-found --output=jsonpath='{.status.phase}')`,
    `if [ "$phase" = Succeeded ]; then echo ${quote(`${name} is there already`)}; exit 0; fi`,
    "# What a run before left; and what this one leaves, however it ends. A copy that was not finished is none, and nobody clones it.",
    "clean() {",
    `  if [ "$published" = no ]; then ${kubectl} delete datavolume/${name} --ignore-not-found; fi`,
    `  ${kubectl} delete vmi,datavolume,secret --selector app.kubernetes.io/name=${JOB} --ignore-not-found`,
    "}",
    "published=no",
    "clean",
    "trap clean EXIT",
    "# The shell hears a signal only while it waits itself, and as the first process of its container only by a trap of its own.",
    "trap 'exit 143' TERM",
    `succeeded() { ${kubectl} wait "$1" --for=jsonpath='{.status.phase}'=Succeeded --timeout="$2" & wait $!; }`,
    ...step("build"),
    ...step("test"),
    `${kubectl} apply -f ${MANIFESTS}/publish.yaml`,
    succeeded(`datavolume/${name}`, MINUTES.disk),
    "published=yes",
    `echo ${quote(`published ${options.namespace}/${name}`)}`,
    "",
  ].join("\n");
}

/** Who the Job is: it may make and delete machines, disks and Secrets of this namespace, and clone its disks. */
function accountOf(options: GoldenImageOptions): object[] {
  const metadata = metadataOf(options, JOB);
  const verbs = ["get", "list", "watch", "create", "patch", "delete"];
  return [
    { apiVersion: "v1", kind: "ServiceAccount", metadata },
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "Role",
      metadata,
      rules: [
        { apiGroups: ["cdi.kubevirt.io"], resources: ["datavolumes"], verbs },
        { apiGroups: ["cdi.kubevirt.io"], resources: ["datavolumes/source"], verbs: ["create"] },
        { apiGroups: ["kubevirt.io"], resources: ["virtualmachineinstances"], verbs },
        { apiGroups: [""], resources: ["secrets"], verbs },
      ],
    },
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "RoleBinding",
      metadata,
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: JOB },
      subjects: [{ kind: "ServiceAccount", name: JOB, namespace: options.namespace }],
    },
  ];
}

/** The manifests that the Job applies, one file for each step. */
const stepsOf = (options: GoldenImageOptions): object => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: metadataOf(options, JOB),
  data: {
    "build.yaml": yaml(
      diskOf(metadataOf(options, machineName("build")), { http: { url: options.base.url, checksum: `sha512:${options.base.sha512}` } }, options),
      bootOf(options, "build"),
      machineOf(options, "build"),
    ),
    "test.yaml": yaml(copyOf(options, metadataOf(options, machineName("test"))), bootOf(options, "test"), machineOf(options, "test")),
    "publish.yaml": yaml(copyOf(options, { ...metadataOf(options, goldenImageName(options.kubernetesVersion)), labels: PUBLISHED })),
  },
});

const jobOf = (options: GoldenImageOptions): object => ({
  apiVersion: "batch/v1",
  kind: "Job",
  metadata: metadataOf(options, goldenImageName(options.kubernetesVersion)),
  spec: {
    backoffLimit: 0,
    activeDeadlineSeconds: 60 * (3 * MINUTES.disk + MINUTES.build + MINUTES.test),
    template: {
      metadata: { labels: LABELS },
      spec: kubectlPod({
        // When the Job ends, it deletes its machines: this is longer than that takes.
        graceSeconds: 180,
        account: JOB,
        container: "pipeline",
        script: goldenImageScript(options),
        memory: "64Mi",
        more: {
          // kubectl caches the API's discovery below its home.
          env: [{ name: "HOME", value: "/tmp" }],
          volumeMounts: [
            { name: "manifests", mountPath: MANIFESTS, readOnly: true },
            { name: "tmp", mountPath: "/tmp" },
          ],
        },
        volumes: [
          { name: "manifests", configMap: { name: JOB } },
          { name: "tmp", emptyDir: {} },
        ],
      }),
    },
  },
});

/**
 * Manifests for `kubectl apply`. The namespace of the images must exist.
 * @throws HomelabError E_SESSION
 */
export function goldenImageManifests(given: GoldenImageOptions): object[] {
  const options = parseOptions(goldenImageSchema, given, JOB, correct("golden-image.ts"));
  return [...accountOf(options), stepsOf(options), jobOf(options)];
}
