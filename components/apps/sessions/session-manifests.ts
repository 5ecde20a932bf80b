/**
 * The objects of a session: namespace with quota and isolation, two machines with their disks, and the name of the control plane. Pure;
 * loads no Pulumi SDK. The reaper that ends sessions is at the end of this file.
 */
import { HomelabError } from "../../../common/errors";
import { API_PORT, CONTROL_PLANE, controlPlaneConfig, workerConfig } from "./cloud-config";
import { goldenImageName } from "./golden-image-name";
import { diskOf, kubectlPod, machineSpec, userDataOf } from "./objects";
import { correct, mebibytes, parseOptions, type SessionOptions, type SessionSpec, sessionSchema } from "./session-spec";

const SESSION_LABEL = "cks.homelab/session";
const ROLE_LABEL = "cks.homelab/role";
/** Seconds since 1970, so that the reaper compares numbers. */
const EXPIRES_ANNOTATION = "cks.homelab/expires";

type Role = "control-plane" | "worker";
const ROLES: readonly Role[] = ["control-plane", "worker"];

const labelsOf = (spec: SessionSpec, role?: Role) => ({ [SESSION_LABEL]: spec.id, ...(role === undefined ? {} : { [ROLE_LABEL]: role }) });

const namespaceOf = (spec: SessionSpec) => ({
  apiVersion: "v1",
  kind: "Namespace",
  metadata: {
    name: spec.namespace,
    // virt-launcher's pods need more than `restricted` gives.
    labels: { ...labelsOf(spec), "pod-security.kubernetes.io/enforce": "baseline" },
    annotations: { [EXPIRES_ANNOTATION]: String(Math.floor(Date.parse(spec.expires) / 1000)) },
  },
});

/** What virt-launcher, disk proxies and CDI's clones need in addition, for each machine. */
const OVERHEAD = { cpuMilli: 500, memoryMiB: 512 };

/** Number of claims while all disks are cloned. */
const CLAIMS = 2 * ROLES.length;
/** Share of a volume with a file system that CDI reserves for the file system itself (its `filesystemOverhead`). */
const FILESYSTEM_SHARE = 0.06;

const quotaOf = (spec: SessionSpec) => ({
  apiVersion: "v1",
  kind: "ResourceQuota",
  metadata: { name: "session", namespace: spec.namespace, labels: labelsOf(spec) },
  spec: {
    hard: {
      "requests.cpu": `${ROLES.length * (spec.cpuCores * 1000 + OVERHEAD.cpuMilli)}m`,
      "requests.memory": `${ROLES.length * (mebibytes(spec.memory) + OVERHEAD.memoryMiB)}Mi`,
      // While a disk is cloned, a second one exists beside it.
      "requests.storage": `${Math.ceil((CLAIMS * mebibytes(spec.diskSize)) / (1 - FILESYSTEM_SHARE))}Mi`,
      persistentvolumeclaims: String(CLAIMS),
      pods: String(4 * ROLES.length),
      "count/virtualmachines.kubevirt.io": String(ROLES.length),
      "services.loadbalancers": "0",
      "services.nodeports": "0",
    },
  },
});

const own = { podSelector: {} };
const dns = { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "kube-system" } }, podSelector: { matchLabels: { "k8s-app": "kube-dns" } } };
/** Private address ranges. They are closed, so that no session reaches the homelab's machines or another session. */
const PRIVATE = ["10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"];

const isolationOf = (spec: SessionSpec) => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  metadata: { name: "session", namespace: spec.namespace, labels: labelsOf(spec) },
  spec: {
    podSelector: {},
    policyTypes: ["Ingress", "Egress"],
    // Terminals use KubeVirt's API, to which no NetworkPolicy applies.
    ingress: [{ from: [own] }],
    egress: [
      { to: [own] },
      {
        to: [dns],
        ports: [
          { protocol: "UDP", port: 53 },
          { protocol: "TCP", port: 53 },
        ],
      },
      {
        to: [{ ipBlock: { cidr: "0.0.0.0/0", except: PRIVATE } }],
        ports: [
          { protocol: "TCP", port: 443 },
          { protocol: "TCP", port: 80 },
        ],
      },
    ],
  },
});

/**
 * Where the storage cannot clone, a pod in the golden image's namespace sends the image to CDI's upload pod in the session. Only that pod
 * is opened for it. Its label and port are CDI's (pkg/common/common.go).
 */
const cloneOf = (spec: SessionSpec) => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  metadata: { name: "clone", namespace: spec.namespace, labels: labelsOf(spec) },
  spec: {
    podSelector: { matchLabels: { "cdi.kubevirt.io": "cdi-upload-server" } },
    policyTypes: ["Ingress"],
    ingress: [
      {
        from: [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": spec.goldenImage.namespace } } }],
        ports: [{ protocol: "TCP", port: 8443 }],
      },
    ],
  },
});

const serviceOf = (spec: SessionSpec) => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: CONTROL_PLANE, namespace: spec.namespace, labels: labelsOf(spec) },
  spec: { selector: labelsOf(spec, "control-plane"), ports: [{ name: "api", port: API_PORT, targetPort: API_PORT }] },
});

const userDataName = (role: Role): string => `${role}-user-data`;

const bootOf = (spec: SessionSpec, role: Role) =>
  userDataOf(
    { name: userDataName(role), namespace: spec.namespace, labels: labelsOf(spec, role) },
    role === "control-plane" ? controlPlaneConfig(spec) : workerConfig(spec),
  );

const diskName = (role: Role): string => `${role}-disk`;

/**
 * A DataVolume of its own, not one of the machine's `dataVolumeTemplates`. So the API checks whether the creator of the session may clone
 * the golden image (`datavolumes/source` in its namespace). With a template, the session's own account would need that right
 * (https://github.com/kubevirt/kubevirt/issues/12204).
 */
const cloneDisk = (spec: SessionSpec, role: Role) =>
  diskOf(
    { name: diskName(role), namespace: spec.namespace, labels: labelsOf(spec, role) },
    { pvc: { namespace: spec.goldenImage.namespace, name: spec.goldenImage.name } },
    spec,
  );

const machineOf = (spec: SessionSpec, role: Role) => ({
  apiVersion: "kubevirt.io/v1",
  kind: "VirtualMachine",
  metadata: { name: role, namespace: spec.namespace, labels: labelsOf(spec, role) },
  spec: {
    // A machine that a learner has broken is restarted; one that was stopped on purpose stays stopped.
    runStrategy: "RerunOnFailure",
    template: {
      metadata: { labels: labelsOf(spec, role) },
      spec: machineSpec({ cores: spec.cpuCores, requested: spec.cpuCores, memory: spec.memory, disk: diskName(role), userData: userDataName(role) }),
    },
  },
});

/**
 * @param running number of other sessions
 * @throws HomelabError E_SESSION for wrong options, and at the limit
 */
export function sessionManifests(options: SessionOptions, { running, limit }: { running: number; limit: number }) {
  const parsed = parseOptions(sessionSchema, options, String(options.id), correct("session-spec.ts"));
  if (running >= limit)
    throw new HomelabError("E_SESSION", `there are ${running} sessions, and no more than ${limit} at a time`, {
      subject: parsed.id,
      hint: "end one, or wait until the reaper does",
    });
  const { name } = parsed.goldenImage;
  if (/^golden-\d+-\d+-\d+$/.test(name) && name !== goldenImageName(parsed.kubernetesVersion))
    throw new HomelabError("E_SESSION", `the golden image ${name} is of another version than ${parsed.kubernetesVersion}`, {
      subject: parsed.id,
      hint: `name ${goldenImageName(parsed.kubernetesVersion)}, or its version in kubernetesVersion`,
    });
  const spec: SessionSpec = { ...parsed, namespace: `session-${parsed.id}` };
  return [
    namespaceOf(spec),
    quotaOf(spec),
    isolationOf(spec),
    cloneOf(spec),
    serviceOf(spec),
    ...ROLES.map((role) => bootOf(spec, role)),
    ...ROLES.map((role) => cloneDisk(spec, role)),
    ...ROLES.map((role) => machineOf(spec, role)),
  ];
}

const REAPER = "session-reaper";

/** Deletes the namespaces of expired sessions. One whose expiry is missing or not a number is kept and named in the output. */
export const REAPER_SCRIPT = `set -eu
now=$(date +%s)
kubectl get namespaces -l '${SESSION_LABEL}' -o jsonpath='{range .items[*]}{.metadata.name}{" "}{.metadata.annotations.cks\\.homelab/expires}{"\\n"}{end}' |
  while read -r name expires; do
    case "$expires" in
      "" | *[!0-9]*) echo "$name has no time at which it ends" >&2; continue ;;
    esac
    [ "$expires" -gt "$now" ] || kubectl delete namespace "$name" --wait=false
  done
`;

/** RBAC cannot select namespaces by label. So an admission policy refuses the reaper's deletion of any namespace that is no session's. */
const boundToSessions = (namespace: string, labels: Readonly<Record<string, string>>) => [
  {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "ValidatingAdmissionPolicy",
    metadata: { name: REAPER, labels },
    spec: {
      failurePolicy: "Fail",
      matchConstraints: { resourceRules: [{ apiGroups: [""], apiVersions: ["v1"], operations: ["DELETE"], resources: ["namespaces"] }] },
      matchConditions: [{ name: "of-the-reaper", expression: `request.userInfo.username == 'system:serviceaccount:${namespace}:${REAPER}'` }],
      validations: [
        {
          expression: `oldObject.metadata.name.startsWith('session-') && has(oldObject.metadata.labels) && '${SESSION_LABEL}' in oldObject.metadata.labels`,
          message: "the reaper of sessions deletes namespaces of sessions alone",
        },
      ],
    },
  },
  {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "ValidatingAdmissionPolicyBinding",
    metadata: { name: REAPER, labels },
    spec: { policyName: REAPER, validationActions: ["Deny"] },
  },
];

/** When the reaper looks, unless it is told. */
export const REAPER_SCHEDULE = "*/5 * * * *";

/** The reaper in a namespace of its own. The policy that limits it is made before its rights. @param schedule line of cron */
export function reaperManifests(namespace: string, schedule: string = REAPER_SCHEDULE) {
  const labels = { "app.kubernetes.io/name": REAPER };
  return [
    ...boundToSessions(namespace, labels),
    { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: REAPER, namespace, labels } },
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRole",
      metadata: { name: REAPER, labels },
      rules: [{ apiGroups: [""], resources: ["namespaces"], verbs: ["get", "list", "delete"] }],
    },
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRoleBinding",
      metadata: { name: REAPER, labels },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: REAPER },
      subjects: [{ kind: "ServiceAccount", name: REAPER, namespace }],
    },
    {
      apiVersion: "batch/v1",
      kind: "CronJob",
      metadata: { name: REAPER, namespace, labels },
      spec: {
        schedule,
        concurrencyPolicy: "Forbid",
        jobTemplate: {
          spec: {
            backoffLimit: 0,
            activeDeadlineSeconds: 120,
            template: {
              metadata: { labels },
              spec: kubectlPod({ account: REAPER, container: "reap", script: REAPER_SCRIPT, memory: "32Mi" }),
            },
          },
        },
      },
    },
  ];
}
