import { defineApplication } from "../../../../stacks/define/application";
import { goldenImageName } from "../../../../stacks/define/sessions";
import { LOG_LEVEL, PREFIX, secretOf, USER } from "./shared";

/** Paths of its credentials for the cluster of sessions. */
const [KUBECONFIG, SSH_KEY] = ["/etc/cks/kubeconfig", "/etc/cks/ssh_key"];

/** The Kubernetes version of sessions. `homelab sessions golden-image` publishes the golden image of this version. */
const KUBERNETES_VERSION = "1.33.0";

/** Sessions for learners: each has two KubeVirt machines in the cluster for experiments, and terminals in the browser. */
export const cksBackend = defineApplication(
  {
    ports: [{ name: "http", port: 8080, host: "api.cks", url: "cks-api" }],
    probes: { ready: "/health", live: "port" },
    config: {
      SERVER_HOST: "0.0.0.0",
      SERVER_PORT: "8080",
      LOG_FORMAT: "json",
      KUBECONFIG,
      KUBERNETES_CONTEXT: "sandboxy",
      SSH_PRIVATE_KEY_PATH: SSH_KEY,
      KUBERNETES_VERSION,
      VM_CPU_CORES: "2",
      VM_MEMORY: "2Gi",
      VM_STORAGE_SIZE: "10Gi",
      VM_STORAGE_CLASS: "longhorn",
      POD_CIDR: "10.0.0.0/8",
      GOLDEN_IMAGE_NAME: goldenImageName(KUBERNETES_VERSION),
      GOLDEN_IMAGE_NAMESPACE: "vm-templates",
      SESSION_TIMEOUT_MINUTES: "60",
      MAX_CONCURRENT_SESSIONS: "10",
      CLEANUP_INTERVAL_MINUTES: "5",
    },
    files: { [KUBECONFIG]: secretOf("CKS", "kubeconfig"), [SSH_KEY]: secretOf("CKS", "ssh_key") },
    resources: { cpu: "100m", memory: "128Mi", memoryLimit: "256Mi", cpuLimit: "200m" },
    writable: ["/tmp"],
    runAsUser: USER,
    serviceAccount: {},
    flows: [{ direction: "out", peer: "homelab", port: 6443, why: "sessions, by the API of sandboxy" }],
    // It keeps sessions in memory, so a second replica would not know those of the first.
    replicas: 1,
  },
  {
    dev: {
      hostPrefix: PREFIX.dev,
      config: { ENVIRONMENT: "dev", LOG_LEVEL: LOG_LEVEL.dev },
      ports: { http: { rules: { timeout: "30s", retries: 3 } } },
    },
    stg: { hostPrefix: PREFIX.stg, config: { ENVIRONMENT: "stg", LOG_LEVEL: LOG_LEVEL.stg } },
    prod: { hostPrefix: PREFIX.prod, config: { ENVIRONMENT: "prod", LOG_LEVEL: LOG_LEVEL.prod } },
  },
);
