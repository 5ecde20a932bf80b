/** The stacks of this homelab: what each is for, what it needs, its VMs, and what runs in it. */
import { defineStacks } from "../stacks/define/stacks";
import { asciiFrontend } from "./apps/ascii-frontend";
import { jaeger } from "./apps/jaeger";
import { whoami } from "./apps/whoami";

/** What every cluster has: certificates, its way into Vault, Secrets from it, and the names of its routes in Pi-hole. */
const cluster = { "cert-manager": {}, "cluster-access": {}, "external-secrets": {}, "external-dns": {} } as const;

/** Buckets with the users that reach them. */
const objectStorage = {
  buckets: [{ name: "pulumi-state", versioning: true }, { name: "loki" }, { name: "teleport" }, { name: "postgres-backups" }],
  users: { "postgres-backups": { buckets: ["postgres-backups"], path: "cluster-secret-store/secrets/MINIO_USERS", key: "postgres-backups" } },
};

/** The second instance of Postgres, for applications as they are developed. */
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
      "github-runners": { sets: { "self-hosted": { url: "https://github.com/fullstack-pw", min: 1, max: 4 } } },
      "gitlab-runner": {},
      "teleport-agent": {
        apps: { vault: { namespace: "vault", service: "vault", port: 8200 }, minio: { namespace: "minio", service: "minio-console", port: 9001 } },
      },
    },
  },
  observability: {
    description: "metrics and alerts, and where traces of all environments go",
    needs: ["tools"],
    vms: { "k8s-observability": "cluster" },
    platform: { ...cluster, "prometheus-operator-crds": {}, "kube-prometheus-stack": {}, loki: {} },
    apps: { jaeger },
  },
  home: {
    description: "what the family uses, on the host with the photo disk",
    needs: ["tools", "observability"],
    vms: { "k8s-home": "cluster" },
    platform: { ...cluster, "cloudnative-pg": {}, immich: { libraryPath: "/mnt/home/immich", librarySize: "1100Gi" } },
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
      "teleport-agent": { apps: { "dev-ascii": { namespace: "ascii-frontend", service: "ascii-frontend", port: 80 } } },
    },
    // The image is set here; stg and prod take it from one another.
    apps: { "ascii-frontend": asciiFrontend("dev.ascii", { setting: "appImage" }) },
  },
  stg: {
    description: "the last stop before production: runs the image that dev ran",
    needs: ["tools", "observability", "dev"],
    vms: { "k8s-stg": "cluster" },
    platform: cluster,
    apps: {
      "ascii-frontend": asciiFrontend("stg.ascii", { setting: "appImage", otherwise: { from: "dev", image: "ascii-frontend" } }),
    },
  },
  prod: {
    description: "applications in production: runs the image that stg ran",
    needs: ["tools", "observability", "stg"],
    vms: { "k8s-prod": "cluster" },
    production: true,
    platform: cluster,
    apps: { "ascii-frontend": asciiFrontend("ascii", { setting: "appImage", otherwise: { from: "stg", image: "ascii-frontend" } }) },
  },
});
