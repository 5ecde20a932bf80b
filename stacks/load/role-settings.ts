/** Settings of `Pulumi.<stack>.yaml` that give roles to hosts. Ranges, ports and versions are checked by the roles themselves. */
import { z } from "zod";

const release = z.strictObject({ version: z.string(), sha256: z.string().regex(/^[0-9a-f]{64}$/, "must be a SHA-256: 64 hexadecimal digits") });

/** The stack's cluster by kubeadm, instead of k3s. */
export const kubeadmSettings = z.strictObject({
  podCidr: z.string(),
  serviceCidr: z.string().optional(),
  /** Kubernetes, without `v`. */
  version: z.string().optional(),
  cilium: z.strictObject({ version: z.string().optional(), cli: release }),
  /** VMs of the stack that join the cluster's VM. */
  nodes: z.record(z.string(), z.enum(["control-plane", "worker"])).default({}),
});

/** How the cluster's k3s reaches the internet and its images. */
export const k3sSettings = z.strictObject({
  proxy: z.strictObject({ http: z.string().optional(), https: z.string().optional(), no: z.array(z.string()).optional() }).optional(),
  registries: z
    .strictObject({
      mirrors: z.record(z.string(), z.strictObject({ endpoints: z.array(z.url()).min(1) })),
      authorities: z.record(z.string(), z.string().regex(/^\//, "must be an absolute path on the host")).optional(),
    })
    .optional(),
});

/** Longhorn's needs on the cluster's host. */
export const longhornSettings = z.strictObject({ dataPath: z.string().optional(), v2Engine: z.boolean().optional() });

/** The disk that is passed through to the cluster's VM. */
export const usbStorageSettings = z.strictObject({
  path: z.string().regex(/^\/[A-Za-z0-9/_.-]+$/, "must be an absolute path"),
  directories: z
    .array(z.strictObject({ path: z.string(), owner: z.string(), mode: z.string().regex(/^0?[0-7]{3}$/, "must be an octal mode in quotes") }))
    .default([]),
});

/** Cluster API on the stack's cluster. */
export const clusterApiSettings = z.strictObject({
  clusterctl: release,
  providers: z.strictObject({ core: z.string(), bootstrap: z.string(), controlPlane: z.string(), infrastructure: z.string(), ipam: z.string() }),
});

/** Pi-hole on the VM whose duty is `dns`. */
export const dnsSettings = z.strictObject({
  upstreams: z.array(z.string()),
  hosts: z.record(z.string(), z.string()).optional(),
  timeZone: z.string().optional(),
  image: z.string().optional(),
});

/** The load balancer on the VM whose duty is `haproxy`: stack of a cluster to the port under which its API is reached. */
export const haproxySettings = z.strictObject({
  frontends: z.record(z.string(), z.int()),
  stats: z.strictObject({ port: z.int().optional(), user: z.string().optional() }).optional(),
});

/** Teleport on the VM whose duty is `teleport`. */
export const teleportSettings = z.strictObject({
  clusterName: z.string(),
  /** Default `teleport.` and the homelab's domain. */
  domain: z.string().optional(),
  postgres: z.strictObject({
    host: z.string(),
    port: z.int().optional(),
    user: z.string(),
    database: z.string(),
    auditDatabase: z.string(),
    tlsMode: z.enum(["verify-full", "require"]).optional(),
  }),
  sessions: z.strictObject({ bucket: z.string(), endpoint: z.string(), region: z.string() }),
  roles: z.array(z.strictObject({ name: z.string(), spec: z.record(z.string(), z.unknown()) })).default([]),
  version: z.string().optional(),
});

/** The installer of Proxmox hosts on the VM whose duty is `boot-server`. */
export const bootServerSettings = z.strictObject({
  iso: release,
  assistant: z.strictObject({ codename: z.string(), version: z.string(), keyFingerprint: z.string() }),
  answer: z.strictObject({
    fqdn: z.string(),
    country: z.string(),
    timeZone: z.string(),
    keyboard: z.string(),
    mailto: z.string(),
    diskFilter: z.record(z.string(), z.string()),
  }),
});
