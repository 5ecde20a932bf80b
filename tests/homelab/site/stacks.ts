/** The stacks of this homelab: what each is for, what it needs, its VMs, and what runs in it. */
import { defineStacks } from "../../../stacks/define/stacks";
import { applications } from "./apps/applications";
import { demoWeb, demoWorker } from "./apps/demo";
import { whoami } from "./apps/whoami";

/** The modules of every cluster: certificates, access to Vault, Secrets from Vault, and DNS records of its routes in Pi-hole. */
const cluster = { "cert-manager": {}, "cluster-access": {}, "external-secrets": {}, "external-dns": {} } as const;

/** For each environment, the password with which its box sends to the hub. */
const senders = {
  tools: { path: "cluster-secret-store/secrets/BOX_TOOLS", key: "BOX_TOOLS_PASSWORD" },
  observability: { path: "cluster-secret-store/secrets/BOX_OBSERVABILITY", key: "BOX_OBSERVABILITY_PASSWORD" },
  home: { path: "cluster-secret-store/secrets/BOX_HOME", key: "BOX_HOME_PASSWORD" },
  sandboxy: { path: "cluster-secret-store/secrets/BOX_SANDBOXY", key: "BOX_SANDBOXY_PASSWORD" },
  dev: { path: "cluster-secret-store/secrets/BOX_DEV", key: "BOX_DEV_PASSWORD" },
  stg: { path: "cluster-secret-store/secrets/BOX_STG", key: "BOX_STG_PASSWORD" },
  prod: { path: "cluster-secret-store/secrets/BOX_PROD", key: "BOX_PROD_PASSWORD" },
} as const;

/** Pods of CloudNativePG that the box of their environment measures. */
const metricsOfPostgres = (namespace: string) => ({ namespace, port: 9187, labels: { "cnpg.io/podRole": "instance" } }) as const;

/** Pods of the demo that the box of their environment measures. */
const metricsOfDemo = (app: string) => ({ namespace: app, port: 9090, labels: { "app.kubernetes.io/name": app } }) as const;

/** Buckets with the users that reach them. */
const objectStorage = {
  buckets: [{ name: "pulumi-state", versioning: true }, { name: "loki" }, { name: "teleport" }, { name: "postgres-backups" }, { name: "backups" }],
  users: {
    "postgres-backups": { buckets: ["postgres-backups"], path: "cluster-secret-store/secrets/MINIO_USERS", key: "postgres-backups" },
    "state-reader": { buckets: ["pulumi-state"], may: "read" as const, path: "cluster-secret-store/secrets/MINIO_USERS", key: "state-reader" },
    "state-backup": { buckets: ["backups"], path: "cluster-secret-store/secrets/MINIO_USERS", key: "state-backup" },
  },
};

/** Copies all states and databases each night, encrypted, to the homelab's own object storage and to one in another place. */
const nightlyBackup = {
  databases: {
    tools: {
      host: "postgres-rw.postgres.svc",
      namespace: "postgres",
      database: "apps",
      user: "apps",
      password: { path: "cluster-secret-store/secrets/POSTGRES", key: "POSTGRES_PASSWORD" },
    },
    dev: {
      host: "dev.postgres.fullstack.pw",
      database: "apps",
      user: "apps",
      password: { path: "cluster-secret-store/secrets/POSTGRES_DEV", key: "POSTGRES_DEV_PASSWORD" },
    },
  },
  places: {
    homelab: { bucket: "backups", user: "state-backup", secretKey: { path: "cluster-secret-store/secrets/MINIO_USERS", key: "state-backup" } },
    oracle: {
      endpoint: "https://labonly.compat.objectstorage.eu-frankfurt-1.oraclecloud.com",
      region: "eu-frankfurt-1",
      bucket: "terraform-state-backup",
      user: { path: "cluster-secret-store/secrets/ORACLE_CLOUD", key: "accessKeyId" },
      secretKey: { path: "cluster-secret-store/secrets/ORACLE_CLOUD", key: "secretAccessKey" },
    },
  },
};

/** The second instance of Postgres, for applications in development. */
const postgresOfDev = {
  host: "dev.postgres",
  databases: { apps: { owner: "apps", extensions: ["vector"], path: "cluster-secret-store/secrets/POSTGRES_DEV", key: "POSTGRES_DEV_PASSWORD" } },
  backup: {},
};

export const stacks = defineStacks({
  tools: {
    description: "Proxmox hosts and the VMs and services that all others use: DNS, proxy, access, Vault, object storage",
    needs: [],
    vms: { dns: "dns", haproxy: "haproxy", teleport: "teleport", "boot-server": "boot-server", "k8s-tools": "cluster" },
    proxmox: true,
    platform: {
      ...cluster,
      minio: objectStorage,
      vault: {},
      "vault-entries": {},
      valkey: {},
      nats: {},
      "cloudnative-pg": {},
      postgres: { backup: {} },
      harbor: {},
      "github-runners": { sets: { "self-hosted": { url: "https://github.com/fullstack-pw", min: 1, max: 4 } } },
      "gitlab-runner": {},
      box: {
        credential: senders.tools,
        scrape: {
          postgres: metricsOfPostgres("postgres"),
          nats: { namespace: "nats", port: 7777, labels: { "app.kubernetes.io/name": "nats" } },
        },
      },
      "teleport-agent": {
        apps: {
          vault: { namespace: "vault", service: "vault", port: 8200 },
          minio: { namespace: "minio", service: "minio-console", port: 9001 },
          harbor: { namespace: "harbor", service: "harbor", port: 80, targetPort: 8080 },
        },
      },
      "state-backup": nightlyBackup,
    },
  },
  observability: {
    description: "metrics, logs and traces of all environments, and alerts about them",
    needs: ["tools"],
    vms: { "k8s-observability": "cluster" },
    platform: {
      ...cluster,
      "prometheus-operator-crds": {},
      "kube-prometheus-stack": {},
      loki: {},
      jaeger: {},
      "otel-collector": { senders },
      box: { credential: senders.observability, metrics: false, otlp: false },
    },
  },
  home: {
    description: "what the family uses, on the host with the photo disk",
    needs: ["tools", "observability"],
    vms: { "k8s-home": "cluster" },
    platform: {
      ...cluster,
      "cloudnative-pg": {},
      immich: { libraryPath: "/mnt/home/immich", librarySize: "1100Gi" },
      box: { credential: senders.home, scrape: { postgres: metricsOfPostgres("immich") } },
    },
  },
  sandboxy: {
    description: "the cluster for experiments",
    needs: ["tools", "observability"],
    vms: { "k8s-sandbox-01": "cluster" },
    platform: {
      ...cluster,
      "snapshot-controller": {},
      longhorn: {},
      kubevirt: {},
      cdi: {},
      box: { credential: senders.sandboxy },
      "teleport-agent": { apps: { longhorn: { namespace: "longhorn-system", service: "longhorn-frontend", port: 80, targetPort: 8000 } } },
    },
    apps: { whoami },
  },
  dev: {
    description: "applications as they are developed",
    needs: ["tools", "observability"],
    vms: { "k8s-dev": "cluster" },
    platform: {
      ...cluster,
      istio: {},
      "argo-cd": {},
      "cloudnative-pg": {},
      postgres: postgresOfDev,
      box: {
        credential: senders.dev,
        scrape: { postgres: metricsOfPostgres("postgres"), "demo-web": metricsOfDemo("demo-web"), "demo-worker": metricsOfDemo("demo-worker") },
      },
      "teleport-agent": {
        apps: {
          "dev-ascii": { namespace: "ascii-frontend", service: "ascii-frontend", port: 80, targetPort: 8080 },
          "dev-cks": { namespace: "cks-frontend", service: "cks-frontend", port: 3000 },
        },
      },
    },
    apps: { ...applications.dev, "demo-worker": demoWorker.dev, "demo-web": demoWeb.dev },
  },
  stg: {
    description: "the last stop before production: runs images that dev ran",
    needs: ["tools", "observability", "dev"],
    vms: { "k8s-stg": "cluster" },
    platform: { ...cluster, box: { credential: senders.stg } },
    apps: { ...applications.stg },
  },
  prod: {
    description: "applications in production: runs images that stg ran",
    needs: ["tools", "observability", "stg"],
    vms: { "k8s-prod": "cluster" },
    production: true,
    platform: { ...cluster, box: { credential: senders.prod, replicas: 2 } },
    apps: { ...applications.prod },
  },
});
